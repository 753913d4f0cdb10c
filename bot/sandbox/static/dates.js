// Times as the person in this page reads them: in their own time zone.

import { workspace } from "./workspace.js";

const DAY = 86_400;

function zone() {
  return workspace.me?.tz || undefined;
}

function shown(seconds, options) {
  const date = new Date(seconds * 1000);
  try {
    return new Intl.DateTimeFormat("en-GB", { ...options, timeZone: zone() }).format(date);
  } catch {
    return new Intl.DateTimeFormat("en-GB", options).format(date);
  }
}

export function time(seconds) {
  return shown(seconds, { hour: "2-digit", minute: "2-digit" });
}

export function timeWithSeconds(seconds) {
  return shown(seconds, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

export function dayOf(seconds) {
  return shown(seconds, { year: "numeric", month: "2-digit", day: "2-digit" });
}

export function longDate(seconds) {
  return shown(seconds, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
}

export function full(seconds) {
  return `${longDate(seconds)}, ${timeWithSeconds(seconds)}`;
}

// Today, Yesterday, or the date.
export function pretty(seconds, date = longDate) {
  const now = Date.now() / 1000;
  if (dayOf(seconds) === dayOf(now)) return "Today";
  if (dayOf(seconds) === dayOf(now - DAY)) return "Yesterday";
  if (dayOf(seconds) === dayOf(now + DAY)) return "Tomorrow";
  return date(seconds);
}

export function ago(seconds, now = Date.now() / 1000) {
  const units = [["year", 365 * DAY], ["month", 30 * DAY], ["day", DAY], ["hour", 3600], ["minute", 60]];
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const [unit, length] = units.find(([, size]) => Math.abs(seconds - now) >= size) ?? ["second", 1];
  return words.format(Math.round((seconds - now) / length), unit);
}

// The tokens of <!date^seconds^format|fallback>, docs.slack.dev messaging/formatting-message-text.
export function dated(seconds, format) {
  const short = (at) => shown(at, { day: "numeric", month: "short", year: "numeric" });
  const long = (at) => shown(at, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const plain = (at) => shown(at, { day: "numeric", month: "long", year: "numeric" });
  const lower = (words) => words.replace(/^(Today|Yesterday|Tomorrow)$/, (word) => word.toLowerCase());
  const tokens = {
    date_num: () => shown(seconds, { year: "numeric", month: "2-digit", day: "2-digit" }).split("/").reverse().join("-"),
    date_slash: () => dayOf(seconds),
    date: () => plain(seconds),
    date_short: () => short(seconds),
    date_long: () => long(seconds),
    date_pretty: () => lower(pretty(seconds, plain)),
    date_short_pretty: () => lower(pretty(seconds, short)),
    date_long_pretty: () => lower(pretty(seconds, long)),
    day_divider_pretty: () => pretty(seconds, long),
    time: () => time(seconds),
    time_secs: () => timeWithSeconds(seconds),
    ago: () => ago(seconds),
  };
  return format.replace(/\{(\w+)\}/g, (token, name) => tokens[name]?.() ?? token);
}
