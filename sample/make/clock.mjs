// Wall-clock time in Berlin, kept as "the milliseconds UTC would show": one number that sorts, adds and
// prints without a time zone database. Every person of the sample lives by this clock.

export const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR

/** "2024-01-15" or "2024-01-15 10:30" → wall-clock milliseconds. */
export function wall(text) {
  const [date, time = '00:00'] = text.trim().split(' ')
  const at = Date.parse(`${date}T${time}:00Z`)
  if (Number.isNaN(at)) throw new Error(`not a date: ${text}`)
  return at
}

/** The last Sunday of a month (0 = January) at 03:00, when Europe changes its clocks. */
function change(year, month) {
  const last = new Date(Date.UTC(year, month + 1, 0))
  return Date.UTC(year, month, last.getUTCDate() - last.getUTCDay(), 3)
}

/** Wall clock in Berlin → the real instant, UTC milliseconds (rule of the European Union since 1996). */
export function instant(at) {
  const year = new Date(at).getUTCFullYear()
  const summer = at >= change(year, 2) && at < change(year, 9)
  return at - (summer ? 2 : 1) * HOUR
}

/** The parts of a wall-clock time, two digits each but the year; `month1` and `day1` are numbers. */
export function parts(at) {
  const d = new Date(at)
  const two = n => String(n).padStart(2, '0')
  return {
    year: d.getUTCFullYear(), month1: d.getUTCMonth() + 1, day1: d.getUTCDate(), hour: d.getUTCHours(),
    month: two(d.getUTCMonth() + 1), day: two(d.getUTCDate()), weekday: d.getUTCDay(),
    HH: two(d.getUTCHours()), mm: two(d.getUTCMinutes()), ss: two(d.getUTCSeconds()),
  }
}

/** "2024-01-15" */
export const date = at => new Date(at).toISOString().slice(0, 10)

/** wi, sp, su or au, as the tags of the small talk name them. */
export const season = at => ['wi', 'wi', 'sp', 'sp', 'sp', 'su', 'su', 'su', 'au', 'au', 'au', 'wi'][new Date(at).getUTCMonth()]
