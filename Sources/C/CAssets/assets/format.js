// Figures, money and dates as text. Money stays the decimal string the server sent (BigInt for sums) and becomes a
// number only as the height of a bar. An absent figure is a dash.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const SYMBOLS = { GBP: "£", EUR: "€", USD: "$" };
export const MINUS = "\u2212";

/** Missing, or what arithmetic makes of a missing number; shown as a dash. */
const absent = (figure) => figure === null || figure === undefined || Number.isNaN(figure);

/** "-1234.5" → "−1,234.5": every digit is the server's. */
export function grouped(decimal) {
  if (absent(decimal)) return "–";
  const text = String(decimal);
  const negative = text.startsWith("-");
  const [whole, fraction] = (negative ? text.slice(1) : text).split(".");
  const withCommas = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return (negative ? MINUS : "") + withCommas + (fraction === undefined ? "" : `.${fraction}`);
}

export function money(amount, currency) {
  if (absent(amount)) return "–";
  const text = grouped(amount);
  const symbol = SYMBOLS[currency];
  if (!symbol) return `${text} ${currency ?? ""}`.trim();
  return text.startsWith(MINUS) ? MINUS + symbol + text.slice(1) : symbol + text;
}

export const moneyList = (list) =>
  (list && list.length ? list.map((m) => money(m.amount, m.currency)).join(", ") : "–");
export const isZero = (decimal) => /^-?0*(\.0*)?$/.test(String(decimal));

/** Exact sum of decimal strings; null when one is absent. */
export function sum(decimals) {
  if (decimals.some(absent)) return null;
  const places = Math.max(2, ...decimals.map((d) => (String(d).split(".")[1] ?? "").length));
  let total = 0n;
  for (const decimal of decimals) {
    const [whole, fraction = ""] = String(decimal).split(".");
    total += BigInt(whole + fraction.padEnd(places, "0"));
  }
  const digits = (total < 0n ? -total : total).toString().padStart(places + 1, "0");
  let fraction = digits.slice(-places);
  while (fraction.length > 2 && fraction.endsWith("0")) fraction = fraction.slice(0, -1);
  return `${total < 0n ? "-" : ""}${digits.slice(0, -places)}.${fraction}`;
}

export const count = grouped;
export const rate = (x) => (!Number.isFinite(x) ? "–" : x >= 100 ? grouped(Math.round(x)) : x.toFixed(1));
/** Geometry only. */
export const height = (decimal) => Number(decimal);

/** "2010-12-01T08:26:00Z" → "2010-12-01 08:26 UTC". */
export function instant(text) {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)?/.exec(text ?? "");
  if (!match) return text ?? "–";
  return `${match[1]} ${match[2]}${match[3] === "Z" ? " UTC" : match[3] ? ` ${match[3]}` : ""}`;
}

/** "2024-11-15T00:00:10Z" → "00:00:10", with the date when `withDay`. */
export const clock = (text, withDay) =>
  (text ? (withDay ? `${text.slice(0, 10)} ` : "") + text.slice(11, 19) : "–");

const isoDay = (date) => date.toISOString().slice(0, 10);
const utc = (y, m, d) => new Date(Date.UTC(y, m, d));

/** What a period of the API covers (both days included) and how it is called. */
export function period(grain, text) {
  const numbers = (text.match(/\d+/g) ?? []).map(Number);
  const [year, second = 1, third = 1] = numbers;
  const isDate = /^\d{4}-\d\d-\d\d/.test(text);
  const make = (from, to, label) => ({ from: isoDay(from), to: isoDay(to), label });
  switch (grain) {
    case "year":
      return make(utc(year, 0, 1), utc(year, 11, 31), String(year));
    case "quarter": {
      const quarter = isDate ? Math.ceil(second / 3) : second;
      return make(utc(year, quarter * 3 - 3, 1), utc(year, quarter * 3, 0), `Q${quarter} ${year}`);
    }
    case "month":
      return make(utc(year, second - 1, 1), utc(year, second, 0), `${MONTHS[second - 1]} ${year}`);
    case "week": {
      let monday, label;
      if (isDate) {
        monday = utc(year, second - 1, third);
        const thursday = new Date(monday.getTime() + 3 * 86400000);
        const first = utc(thursday.getUTCFullYear(), 0, 1);
        const week = String(1 + Math.floor((thursday - first) / (7 * 86400000))).padStart(2, "0");
        label = `W${week} ${thursday.getUTCFullYear()}`;
      } else {
        const fourth = utc(year, 0, 4);
        monday = new Date(fourth.getTime() + ((second - 1) * 7 - ((fourth.getUTCDay() + 6) % 7)) * 86400000);
        label = `W${String(second).padStart(2, "0")} ${year}`;
      }
      return make(monday, new Date(monday.getTime() + 6 * 86400000), label);
    }
    default:
      return make(utc(year, second - 1, third), utc(year, second - 1, third), `${third} ${MONTHS[second - 1]} ${year}`);
  }
}

export const later = (a, b) => (!a ? b : !b ? a : a > b ? a : b);
export const earlier = (a, b) => (!a ? b : !b ? a : a < b ? a : b);

export const customerName = (c) => c.name || `Customer ${c.key}`;
