// Every view there is, one table: its place in the URL, its icon, the letter behind `g`.
import type { JSX } from "preact";
import type { IconName } from "./parts/icons";
import { OverviewView } from "./views/overview";
import { OrdersView } from "./views/orders";
import { OrderView } from "./views/order";
import { ActorsView } from "./views/actors";
import { ActorView } from "./views/actor";
import { InventoryView } from "./views/inventory";
import { SkuView } from "./views/sku";
import { EventsView } from "./views/events";
import { AttentionView } from "./views/attention";
import { ClusterView } from "./views/cluster";
import { StorageView } from "./views/storage";
import { AuditView } from "./views/audit";
import { FaultsView } from "./views/faults";

export interface View {
  path: string;
  title:
    | "overview"
    | "orders"
    | "actors"
    | "inventory"
    | "events"
    | "attention"
    | "cluster"
    | "storage"
    | "audit"
    | "faults"; // a word of the dictionary
  icon: IconName;
  letter: string;
  all: () => JSX.Element;
  one?: (props: { id: string }) => JSX.Element;
}
export const views: View[] = [
  { path: "", title: "overview", icon: "overview", letter: "h", all: OverviewView },
  { path: "orders", title: "orders", icon: "orders", letter: "o", all: OrdersView, one: OrderView },
  { path: "attention", title: "attention", icon: "attention", letter: "t", all: AttentionView },
  { path: "inventory", title: "inventory", icon: "inventory", letter: "i", all: InventoryView, one: SkuView },
  { path: "events", title: "events", icon: "events", letter: "e", all: EventsView },
  { path: "actors", title: "actors", icon: "actors", letter: "a", all: ActorsView, one: ActorView },
  { path: "cluster", title: "cluster", icon: "shards", letter: "c", all: ClusterView },
  { path: "storage", title: "storage", icon: "storage", letter: "s", all: StorageView },
  { path: "audit", title: "audit", icon: "audit", letter: "u", all: AuditView },
  { path: "faults", title: "faults", icon: "faults", letter: "f", all: FaultsView },
];
