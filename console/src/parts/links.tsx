// From anything to anything: an order to its actor, its shard, its node, and back.
import { href } from "../lib/router";
import { shortId } from "../lib/format";
import { t } from "../text";

export const OrderLink = ({ id, whole = false }: { id: string; whole?: boolean }) => (
  <a class="mono" href={href(["orders", id])} title={id}>
    {whole ? id : shortId(id)}
  </a>
);
export const ActorLink = ({ name }: { name: string }) => (
  <a class="mono" href={href(["actors", name])} title={name}>
    {name.replace(/ord_[0-9A-Z]{26}/, shortId)}
  </a>
);
export const ShardLink = ({ shard }: { shard: number | null | undefined }) =>
  shard === null || shard === undefined ? null : (
    <a class="nowrap" href={href(["cluster"], { shard })}>
      {t.shardN(shard)}
    </a>
  );
export const NodeLink = ({ node }: { node: string | null | undefined }) =>
  node ? (
    <a class="nowrap" href={href(["cluster"], { node })}>
      {node}
    </a>
  ) : null;
export const SkuLink = ({ sku }: { sku: string }) => <a href={href(["inventory", sku])}>{sku}</a>;

/** The subject of an event: an order, or a SKU. */
export const KeyLink = ({ of }: { of: string }) =>
  /^ord_/.test(of) ? <OrderLink id={of} /> : <SkuLink sku={of} />;
