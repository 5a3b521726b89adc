// ---- What is shown, and how ---------------------------------------------------------------------------------------------------

// Whatever came from outside goes through `visible` and into `textContent`: never into markup, and nothing in it can hide, or turn
// the text around it.

/** Controls, bidirectional controls, what has no width, tags, and the backslash: the set of herd_proto::Escaped. */
const UNPLAIN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\\]|[\u{e0000}-\u{e007f}]/gu;
/** Characters of a client's ID that are shown. */
const SHOWN_MAX = 120;

const $ = (id) => document.getElementById(id);

/** The text with everything that is not plainly visible escaped, cut off where it is long. */
function visible(value, max = SHOWN_MAX) {
  const text = String(value ?? '');
  // Code points, so that no character is cut in two; no more of a long text is looked at than is shown.
  const points = Array.from(text.slice(0, 2 * max + 2));
  const shown = points.slice(0, max).join('').replace(UNPLAIN, escaped);
  return points.length > max ? `${shown}… (${whole(text.length)} characters)` : shown;
}

function escaped(point) {
  if (point === '\\') return '\\\\';
  const code = point.codePointAt(0);
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** An element with text and attributes; `children` are elements or text. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function drawn(name, attributes = {}, text = '') {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

/** Changes a text only where it differs: screen readers and the layout are left alone otherwise. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const wholeFormat = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
const whole = (number) => wholeFormat.format(number);
const counted = (number, one, many = `${one}s`) => `${whole(number)} ${number === 1 ? one : many}`;

function rate(number) {
  return number >= 100 || number === 0 ? whole(number) : number.toFixed(number >= 10 ? 1 : 2);
}

/** [number, unit] of bytes. */
function bytes(count) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let at = 0;
  while (count >= 1000 && at < units.length - 1) [count, at] = [count / 1000, at + 1];
  return [at === 0 || count >= 100 ? whole(count) : count.toFixed(1), units[at]];
}

/** [number, unit] of microseconds. */
function micros(us) {
  if (us < 1000) return [whole(us), 'µs'];
  const [count, of] = us < 1e6 ? [us / 1e3, 'ms'] : [us / 1e6, 's'];
  return [count < 10 ? count.toFixed(1) : whole(count), of];
}

function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 1) return `${Math.max(0, Math.round(ms))} ms`;
  if (seconds < 60) return `${seconds} s`;
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86400)];
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${days} d ${hours % 24} h`;
}

/** A client's time, POSIX seconds as text, as a date in UTC; as it is where that makes none. */
function moment(time) {
  const date = new Date(Number.parseFloat(time) * 1000);
  return Number.isNaN(date.getTime()) ? visible(time, 40) : date.toISOString().slice(0, 19).replace('T', ' ');
}

/** The same, without the day where that is today. */
function momentToday(time) {
  const [text, today] = [moment(time), new Date().toISOString().slice(0, 10)];
  return text.startsWith(`${today} `) ? text.slice(11) : text;
}

/** 34.0689 -> 34.07° N */
function angle(degrees, plus, minus, digits = 2) {
  return `${Math.abs(degrees).toFixed(digits)}° ${degrees < 0 ? minus : plus}`;
}

/** Rows of a `dl`: made once for a list of terms, then only their texts change. */
function describe(list, facts) {
  const key = facts.map(([term]) => term).join('\n');
  if (list.dataset.key !== key) {
    list.dataset.key = key;
    list.replaceChildren(...facts.map(([term]) => make('div', {}, make('dt', {}, term), make('dd'))));
  }
  facts.forEach(([, text], at) => say(list.children[at].lastChild, text));
}

/** Brings a table body to `rows.length` rows of `columns` cells and keeps those there are, and with them the focus. */
function fit(body, rows, makeRow, fill) {
  while (body.children.length > rows.length) body.lastChild.remove();
  while (body.children.length < rows.length) body.append(makeRow());
  rows.forEach((row, at) => fill(body.children[at], row));
}
