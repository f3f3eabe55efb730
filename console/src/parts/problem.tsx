import { Problem, Unreachable } from "../api/http";
import { t } from "../text";

/** Why a part of the page has nothing to show, or what was refused. */
export function ProblemNote({ of }: { of: unknown }) {
  if (of === undefined || of === null) return null;
  if (of instanceof Unreachable)
    return (
      <div class="problem" role="alert">
        <strong>{t.unreachable}</strong>
      </div>
    );
  if (!(of instanceof Problem))
    return (
      <div class="problem" role="alert">
        <strong>{String(of)}</strong>
      </div>
    );
  return (
    <div class="problem" role="alert">
      <strong>{of.title}</strong>
      {of.detail && <span>{of.detail}</span>}
      {of.errors.map((e) => (
        <span key={e.pointer}>
          <code>{e.pointer}</code> {e.detail}
        </span>
      ))}
      <span class="small figures">
        {of.status} <code>{of.code}</code>
        {of.traceId && (
          <>
            {" "}
            · trace <code>{of.traceId}</code>
          </>
        )}
      </span>
    </div>
  );
}

/** A list that some shards are missing from says so. */
export function PartialNote({ page }: { page: { partial: boolean; missing_shards: number[] } | undefined }) {
  if (!page?.partial) return null;
  return (
    <div class="note warn" role="status">
      {t.partial(page.missing_shards.length)}
    </div>
  );
}
