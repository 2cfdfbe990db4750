// Numbers, durations and times for people.

import { language, many, number, t } from "./words.js";

export { many, number };
const FINE = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const SHORT = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });

/** 12,345 as it is, a million as 1M: for a tile, not where somebody counts. */
export const short = (value) => (value < 100_000 ? number(value) : SHORT.format(value));
export const rate = (value) => (value >= 10 ? number(value) : FINE.format(value));
/** A share of 1 as a whole number of hundredths. */
export const percent = (share) => new Intl.NumberFormat(language, { style: "percent" }).format(share);

/** Seconds as the two largest units that say something. */
export function lasting(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 0) return `-${lasting(-seconds)}`;
  if (seconds < 0.0005) return "0 s";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${FINE.format(seconds)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const units = [[t("d"), 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const at = units.findIndex(([, size]) => seconds >= size);
  const [unit, size] = units[at];
  const [below, smaller] = units[at + 1] ?? [];
  const rest = below ? Math.floor((seconds % size) / smaller) : 0;
  return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${below}` : ""}`;
}

export function bytes(count) {
  if (count < 1024) return many(count, "{n} byte", "{n} bytes");
  const units = [t("KiB"), t("MiB"), t("GiB"), t("TiB")];
  let size = count / 1024;
  while (size >= 1024 && units.length > 1) { size /= 1024; units.shift(); }
  return `${FINE.format(size)} ${units[0]}`;
}

const two = (n) => String(n).padStart(2, "0");

/** 2026-11-26 17:30:05.123, in UTC or as this computer has it. */
export function exactly(moment, inUtc) {
  const at = new Date(moment);
  if (Number.isNaN(at.getTime())) return String(moment);
  if (inUtc) return `${at.toISOString().slice(0, 10)} ${at.toISOString().slice(11, 23)}`;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** A time of day, of the second; with the day where it is another than `now`'s. */
export function timeOfDay(moment, inUtc, now) {
  const [day, time] = exactly(moment, inUtc).split(" ");
  return day === exactly(now, inUtc).split(" ")[0] ? time.slice(0, 8) : `${day} ${time.slice(0, 8)}`;
}

/** "12 s ago", "in 3 min". */
export function ago(moment, now) {
  const seconds = (now - new Date(moment).getTime()) / 1000;
  if (Math.abs(seconds) < 1) return t("now");
  const time = lasting(Math.floor(Math.abs(seconds))).split(" ").slice(0, 2).join(" ");
  return seconds > 0 ? t("{time} ago", { time }) : t("in {time}", { time });
}
