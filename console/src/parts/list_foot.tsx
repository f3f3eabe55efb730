import type { Pages } from "../live/pages";
import { count } from "../lib/format";
import { t } from "../text";

/** How much of a list is here, and whether it is live. */
export function ListFoot<T>({ list }: { list: Pages<T> }) {
  if (list.rows.length === 0) return null;
  return (
    <div class="more figures" role="status">
      {list.whole ? t.rowsAll(count(list.rows.length)) : t.rowsSome(count(list.rows.length))}
      {list.still && (
        <>
          {" "}
          · {t.standsStill}{" "}
          <button class="button tiny" onClick={list.refresh}>
            {t.refresh}
          </button>
        </>
      )}
      {!list.whole && (
        <>
          {" "}
          ·{" "}
          <button class="button tiny" onClick={list.more}>
            {t.more}
          </button>
        </>
      )}
    </div>
  );
}
