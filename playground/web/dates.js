/** Times as the chosen person reads them: always in her zone, never in the browser's. No DOM. */

function parts(seconds, tz, options) {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: tz, ...options });
  return Object.fromEntries(format.formatToParts(seconds * 1000).map(({ type, value }) => [type, value]));
}

function text(seconds, tz, options) {
  // Newer ICU puts a narrow no-break space before AM/PM; a plain one keeps texts comparable.
  return new Intl.DateTimeFormat('en-US', { timeZone: tz, ...options })
    .format(seconds * 1000)
    .replace(/\u202f/g, ' ');
}

/** Calendar day as YYYY-MM-DD. */
export function dayKey(seconds, tz) {
  const { year, month, day } = parts(seconds, tz, { year: 'numeric', month: '2-digit', day: '2-digit' });
  return `${year}-${month}-${day}`;
}

/** Days from `now` to the given moment, counted on the calendar of `tz`. */
function daysAway(seconds, now, tz) {
  return Math.round((Date.parse(dayKey(seconds, tz)) - Date.parse(dayKey(now, tz))) / 86_400_000);
}

/** `9:41 AM` */
export function clock(seconds, tz) {
  return text(seconds, tz, { hour: 'numeric', minute: '2-digit' });
}

/** Title of a message's time: day, clock and zone in full. */
export function fullTime(seconds, tz) {
  const day = text(seconds, tz, { weekday: 'long', month: 'long', day: 'numeric', year: 'numeric' });
  const time = text(seconds, tz, {
    hour: 'numeric',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });
  return `${day} at ${time}`;
}

/** Day divider: Today, Yesterday, or `Monday, November 4th` (with the year when it is another one). */
export function dayLabel(seconds, now, tz) {
  const away = daysAway(seconds, now, tz);
  if (away === 0) return 'Today';
  if (away === -1) return 'Yesterday';
  const { weekday, month, day, year } = dateParts(seconds, tz);
  const sameYear = year === dateParts(now, tz).year;
  return `${weekday}, ${month} ${ordinal(day)}${sameYear ? '' : `, ${year}`}`;
}

function dateParts(seconds, tz) {
  return parts(seconds, tz, { weekday: 'long', month: 'long', day: 'numeric', year: 'numeric' });
}

function ordinal(day) {
  const number = Number(day);
  const teen = number % 100 > 10 && number % 100 < 14;
  return `${number}${teen ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th')}`;
}

function pretty(seconds, now, tz, otherwise) {
  const word = { '-1': 'yesterday', 0: 'today', 1: 'tomorrow' }[daysAway(seconds, now, tz)];
  return word ?? otherwise;
}

function ago(seconds, now) {
  const away = Math.round(seconds - now);
  const size = Math.abs(away);
  const [unit, length] =
    size < 60
      ? ['second', 1]
      : size < 3600
        ? ['minute', 60]
        : size < 86_400
          ? ['hour', 3600]
          : ['day', 86_400];
  return new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(Math.round(away / length), unit);
}

const TOKENS = {
  date_num: (at, _now, tz) => dayKey(at, tz),
  date: (at, _now, tz) => {
    const { month, day, year } = dateParts(at, tz);
    return `${month} ${ordinal(day)}, ${year}`;
  },
  date_short: (at, _now, tz) => text(at, tz, { month: 'short', day: 'numeric', year: 'numeric' }),
  date_long: (at, _now, tz) => {
    const { weekday, month, day, year } = dateParts(at, tz);
    return `${weekday}, ${month} ${ordinal(day)}, ${year}`;
  },
  date_pretty: (at, now, tz) => pretty(at, now, tz, TOKENS.date(at, now, tz)),
  date_short_pretty: (at, now, tz) => pretty(at, now, tz, TOKENS.date_short(at, now, tz)),
  date_long_pretty: (at, now, tz) => pretty(at, now, tz, TOKENS.date_long(at, now, tz)),
  time: (at, _now, tz) => clock(at, tz),
  time_secs: (at, _now, tz) => text(at, tz, { hour: 'numeric', minute: '2-digit', second: '2-digit' }),
  ago: (at, now) => ago(at, now),
};

/**
 * Slack's `{date}` templates (`<!date^…>` and the rich_text date element).
 * @param {number} seconds Unix seconds
 * @param {string} format text with tokens such as `{date_short_pretty} at {time}`
 * @param {string} tz IANA zone of the reader
 * @param {number} now Unix seconds
 */
export function formatDate(seconds, format, tz, now) {
  const drawn = format.replace(/\{([a-z_]+)\}/g, (whole, name) => {
    return Object.hasOwn(TOKENS, name) ? TOKENS[name](seconds, now, tz) : whole;
  });
  // Slack begins a text with a capital: "today at 9:41" becomes "Today at 9:41".
  return /^\{/.test(format) ? drawn.charAt(0).toUpperCase() + drawn.slice(1) : drawn;
}

/** Value of an `<input type="datetime-local">` for a moment, in the person's zone. */
export function toLocalInput(seconds, tz) {
  const { hour, minute } = parts(seconds, tz, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  return `${dayKey(seconds, tz)}T${hour}:${minute}`;
}

/** Unix seconds of a wall-clock time in `tz`, or null when it cannot be read. */
export function fromLocalInput(value, tz) {
  const wanted = Date.parse(`${value}Z`) / 1000;
  if (Number.isNaN(wanted)) return null;
  // The offset depends on the answer; a second look settles it on both sides of a clock change.
  let guess = wanted;
  for (let round = 0; round < 2; round += 1) {
    guess += wanted - Date.parse(`${toLocalInput(guess, tz)}Z`) / 1000;
  }
  return guess;
}
