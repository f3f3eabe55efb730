"""Who says that a shard is served, at which epoch, and whether two can be right."""


class Claims:
    """Fed with each node's own words and the times (any one clock) between which they were said."""

    def __init__(self):
        self._owner = {}  # (shard, epoch) → node
        self._newest = {}  # shard → (epoch, when an answer said so at the earliest, node)
        self.heard = 0
        self.wrong = []

    def hear(self, node, asked, answered, rows):
        """`rows` of /admin/v1/shards; only what `node` says of itself is taken."""
        for row in rows:
            if row["owner"] != node or row["state"] != "running":
                continue
            self.heard += 1
            shard, epoch = row["shard"], row["epoch"]
            first = self._owner.setdefault((shard, epoch), node)
            if first != node:
                self.wrong.append(f"shard {shard} has two owners at epoch {epoch}: {first}, {node}")
            newest, since, other = self._newest.get(shard, (0, answered, node))
            if epoch < newest and asked > since:
                self.wrong.append(f"{node} serves shard {shard} at epoch {epoch} after {other} "
                                  f"served it at {newest}")
            if epoch > newest:
                self._newest[shard] = (epoch, answered, node)
