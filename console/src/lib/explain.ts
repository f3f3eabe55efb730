// Why an order stands where it stands, in the language of the page: English is the server's own sentence (`explain`),
// Korean says the same from the same facts. Times are as the reader's clock has them.
import type { Saga } from "../api/shapes";
import { language } from "../text";
import { dateTime, money } from "./format";

const doing: Record<string, string> = {
  reserving: "재고를 예약하고 있습니다",
  charging: "결제 대행사에 결제를 요청하고 있습니다",
  inquiring: "응답이 없던 결제가 어떻게 되었는지 결제 대행사에 묻고 있습니다",
  dispatching: "결제가 끝나 배송을 시작하고 있습니다",
  committing: "배송이 시작되어 예약한 재고를 출고하고 있습니다",
  undelivering: "배송을 멈추고 있습니다",
  refunding: "돈을 돌려주고 있습니다",
  voiding: "결과를 모르는 결제를 무효로 만들고 있습니다",
  releasing: "재고를 되돌리고 있습니다",
};
const next: Record<string, string> = {
  reserving: "다음은 결제입니다.",
  charging: "결제되면 다음은 배송입니다.",
  inquiring: "결제되었다면 다음은 배송입니다.",
  dispatching: "다음은 재고 출고입니다.",
  committing: "다음은 배송 기사입니다.",
  undelivering: "다음은 환불입니다.",
  refunding: "다음은 재고 반환입니다.",
  voiding: "다음은 재고 반환입니다.",
  releasing: "그 뒤에는 되돌릴 것이 없습니다.",
};
function whom(phase: string): string {
  if (["charging", "inquiring", "refunding", "voiding"].includes(phase)) return "결제 대행사";
  return phase === "dispatching" || phase === "undelivering" ? "배송" : "재고";
}

function atRest(s: Saga): string {
  const { standing: d } = s;
  if (s.phase === "rejected") return `주문이 거절되었고(${d.failure_code}) 남은 것이 없습니다.`;
  if (s.phase === "cancelled" && d.settled_outside)
    return "주문이 취소되어 되돌려졌습니다. 돈은 사람이 결제 대행사 밖에서 정산했습니다.";
  if (s.phase === "cancelled") return "주문이 취소되어 되돌려졌습니다.";
  if (d.delivery === "delivered") return "주문이 배송되었습니다.";
  if (d.delivery === "failed")
    return `배송 기사가 전달하지 못했습니다. 운영자가 해결됨으로 표시하거나(결국 전달됨) 취소하기를 기다립니다. 위험 금액: ${money(s.money_at_risk)}.`;
  return d.shipped
    ? "물건은 배송 기사에게 있습니다. 소식이 올 때까지 할 일이 없습니다."
    : "물건이 준비되었습니다. 배송 기사의 소식이 올 때까지 할 일이 없습니다.";
}

function waitsFor(s: Saga): string {
  const { standing: d } = s;
  if (d.paused) return "운영자가 멈춰 두어, 재개할 때까지 아무것도 보내지 않습니다.";
  if (d.held_since)
    return `${dateTime(d.held_since)}부터 결제 대행사에 묻지 않고 있으며(${s.last_error}), ${dateTime(s.next_attempt_at!)}부터 차단기가 허용하는 대로 다시 묻습니다.`;
  if (!s.next_attempt_at) return `${whom(s.phase)}의 응답을 기다립니다.`;
  const last = s.last_error ? `, 마지막: ${s.last_error}` : "";
  return `${dateTime(s.next_attempt_at)}에 ${whom(s.phase)}에 다시 묻습니다(실패 ${s.attempts}회${last}).`;
}

/** Nothing is owed any more (domain::at_rest): only a cancellation or a courier can move it. */
const rests = (s: Saga): boolean => !(s.phase in doing);

function korean(s: Saga): string {
  const { standing: d } = s;
  const risk = s.money_at_risk.amount > 0 ? money(s.money_at_risk) : "";
  if (d.poisoned)
    return `액터가 너무 자주 멈춰(${s.last_error}) ${dateTime(s.updated_at)}부터 아무것도 보내지 않았습니다. 위험 금액: ${money(s.money_at_risk)}. 운영자가 다시 시도할 수 있고, 다음에 시작할 때도 다시 시도합니다.`;
  if (rests(s)) return atRest(s);
  const because =
    d.because === "cancelled"
      ? "주문이 취소되어 "
      : d.because === "rejected"
        ? `주문이 거절되어(${d.failure_code}) `
        : "";
  const since = s.since ? `${dateTime(s.since)}부터 ` : "";
  const owed = d.blocked
    ? `시도할 한도를 다 썼고${d.paused ? "" : " 그래도 계속 시도하며"}, 위험 금액은 ${money(s.money_at_risk)}입니다.`
    : risk && `아직 돌려줄 돈: ${risk}.`;
  return [`${since}${because}${doing[s.phase]}.`, waitsFor(s), owed, next[s.phase]].filter(Boolean).join(" ");
}

const moment = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g,
  amount = /(\d+) ([A-Z]{3}) \(minor units\)/g;
const english = (s: Saga): string =>
  s.explain
    .replace(moment, (text) => dateTime(text))
    .replace(amount, (_, n: string, currency: string) => money({ amount: Number(n), currency }));

export const explain = (s: Saga): string => (language.value === "ko" ? korean(s) : english(s));
