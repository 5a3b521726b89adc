// ---- Rates and latencies ------------------------------------------------------------------------------------------------------

/** Seconds that are shown. */
const SPAN_S = 120;

/** One small plot: at most two lines over the last two minutes, the newest value in figures. */
class Plot {
  constructor(label, format, peak = ([value]) => [rate(value)]) {
    this.format = format;
    this.peakFormat = peak;
    this.series = [];
    this.value = make('span', { class: 'value' }, '–');
    this.peak = make('span', { class: 'peak' });
    this.svg = drawn('svg', { viewBox: `0 0 ${SPAN_S} 34`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
    this.fill = drawn('path', { class: 'spark-fill' });
    this.lines = [drawn('path', { class: 'spark' }), drawn('path', { class: 'spark second' })];
    this.svg.append(drawn('path', { class: 'spark-base', d: `M0 33.5H${SPAN_S}` }), this.fill, ...this.lines);
    const caption = make('figcaption', {}, make('span', { class: 'label' }, label), this.peak, this.value);
    $('tiles').append(make('figure', { class: 'tile' }, caption, this.svg));
  }

  /** `values`: one or two numbers, or null for what is not known; `at`: seconds. */
  add(at, values) {
    this.series.push([at, values]);
    while (this.series.length > 2 && this.series[1][0] < at - SPAN_S) this.series.shift();
    this.draw(at);
  }

  draw(now) {
    const all = this.series.flatMap(([, values]) => values).filter((value) => value !== null);
    const most = Math.max(...all, 0);
    const newest = this.series[this.series.length - 1][1];
    this.value.replaceChildren(...(newest[0] === null ? ['–'] : this.format(newest)));
    say(this.peak, all.length > 0 && most > 0 ? `peak ${this.peakFormat([most]).join('')}` : '');
    this.lines.forEach((line, which) => line.setAttribute('d', this.path(now, most, which)));
    const first = this.path(now, most, 0);
    this.fill.setAttribute('d', first && `${first}L${SPAN_S} 34L${this.left(now)} 34Z`);
  }

  left(now) {
    const first = this.series.find(([, values]) => values[0] !== null);
    return first ? Math.max(0, SPAN_S - (now - first[0])).toFixed(1) : 0;
  }

  path(now, most, which) {
    const steps = this.series.filter(([, values]) => (values[which] ?? null) !== null).map(([at, values]) => {
      const y = most > 0 ? 32 - (values[which] / most) * 29 : 32;
      return `${Math.max(0, SPAN_S - (now - at)).toFixed(1)} ${y.toFixed(1)}`;
    });
    return steps.length > 1 ? `M${steps.join('L')}` : '';
  }
}

const unit = (text) => make('small', {}, ` ${text}`);
const plain = ([value]) => [whole(value)];

function median([half, most]) {
  const [[number, of], others] = [micros(half), micros(most)];
  return [number, unit(`${of} · p99 ${others.join(' ')}`)];
}

function inAndOut([received, sent]) {
  const [[number, of], [otherNumber, otherOf]] = [bytes(received), bytes(sent)];
  return [number, unit(`${of}/s in · ${otherNumber} ${otherOf === of ? '' : `${otherOf}/s `}out`)];
}

class Plots {
  constructor() {
    this.posts = new Plot('Posts here', ([value]) => [rate(value), unit('/s')]);
    this.latency = new Plot('Latency p50', median, ([value]) => [micros(value).join(' ')]);
    this.known = new Plot('Clients known', plain, plain);
    this.connections = new Plot('Connections', plain, plain);
    this.traffic = new Plot('Peer traffic', inAndOut, ([value]) => [`${bytes(value).join(' ')}/s`]);
    this.queue = new Plot('Queue to peers', ([value]) => [whole(value), unit(value === 1 ? 'record' : 'records')], plain);
    this.last = null;
  }

  show(status, now) {
    const sums = (name) => (status.peers ?? []).map((peer) => [peer.name, peer[name] ?? 0]);
    // By the server's own clock: how long an answer took to be here does not matter.
    const seen = { uptime: number(status.uptime_ms) ?? now, boot: status.boot, posts: postsOf(status), received: sums('bytes_received'), sent: sums('bytes_sent') };
    const before = this.last?.boot === seen.boot ? this.last : null;
    this.last = seen;
    const seconds = before && Math.max((seen.uptime - before.uptime) / 1000, 0.001);
    const counted = before && seen.posts !== null && before.posts !== null ? Math.max(0, seen.posts - before.posts) / seconds : null;
    const at = now / 1000;
    this.posts.add(at, [number(status.posts_per_s) ?? counted]);
    this.latency.add(at, [number(status.latency?.post_p50_us), number(status.latency?.post_p99_us)]);
    this.known.add(at, [number(status.records)]);
    this.connections.add(at, [number(status.clients)]);
    this.traffic.add(at, before ? [grown(before.received, seen.received) / seconds, grown(before.sent, seen.sent) / seconds] : [null, null]);
    this.queue.add(at, [(status.peers ?? []).reduce((sum, peer) => sum + (peer.dirty ?? 0), 0)]);
  }
}

const number = (value) => (Number.isFinite(value) ? value : null);

function postsOf({ counters }) {
  return counters ? (counters.posts_newer ?? 0) + (counters.posts_known ?? 0) + (counters.posts_full ?? 0) : null;
}

/** Bytes of all links since the last look; a new connection begins at 0. */
function grown(before, now) {
  const known = new Map(before);
  return now.reduce((sum, [name, count]) => sum + (count >= (known.get(name) ?? 0) ? count - (known.get(name) ?? 0) : count), 0);
}
