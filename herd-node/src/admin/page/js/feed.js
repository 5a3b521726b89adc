// ---- What the server says -----------------------------------------------------------------------------------------------------

const POLL_MS = 1000;
/** How long an answer may take before the server counts as gone. */
const ANSWER_MAX_MS = 4000;
/** Between two tries to hear of positions. */
const RETRY_MS = 1000;

/** The server's address without the name and password it may have been opened with: a browser asks for no such address. */
const address = (path) => location.origin + path;

/** /status.json, once a second, for ever. */
class Poll {
  constructor(onStatus, onSilence) {
    Object.assign(this, { onStatus, onSilence });
    this.next();
  }

  async next() {
    const begun = performance.now();
    try {
      const response = await fetch(address('/status.json'), { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MAX_MS) });
      const status = await response.json();
      // In words of its own: while it reads its disk at a start, for one.
      if (!response.ok) throw new Error(visible(status?.error ?? `it answers with status ${response.status}`, 200));
      if (typeof status?.name !== 'string') throw new Error('what it answers is no status');
      this.onStatus(status);
    } catch (error) {
      this.onSilence(trouble(error));
    }
    setTimeout(() => this.next(), clamp(POLL_MS - (performance.now() - begun), 100, POLL_MS));
  }
}

/** Where a browser's own words would say little. */
function trouble(error) {
  if (['TimeoutError', 'AbortError'].includes(error.name)) return 'it does not answer';
  if (error instanceof TypeError) return 'it can’t be reached';
  return error instanceof SyntaxError ? 'what it answers is no status' : error.message;
}

/** /events, connected again whenever it ends. */
class Events {
  constructor(handlers) {
    this.handlers = handlers;
    this.isLive = false;
    this.timer = 0;
    this.open();
  }

  open() {
    this.source = new EventSource(address('/events'));
    // A reader that was too slow is told all anew, up to the next `live`.
    for (const name of ['open', 'reset']) this.source.addEventListener(name, () => this.begin());
    this.source.addEventListener('positions', (event) => {
      const records = JSON.parse(event.data).filter(isRecord);
      this.handlers.positions(records, this.isLive);
    });
    this.source.addEventListener('gone', (event) => this.handlers.gone(JSON.parse(event.data)));
    this.source.addEventListener('live', () => {
      this.isLive = true;
      this.handlers.live();
    });
    this.source.addEventListener('error', () => this.again());
  }

  begin() {
    this.isLive = false;
    this.handlers.begin();
  }

  /** Not left to the browser, which gives up on some answers and waits longer after others. */
  again() {
    this.close();
    this.timer = setTimeout(() => this.open(), RETRY_MS);
  }

  /** Until it is opened again; what has come by then is told at once. */
  close() {
    clearTimeout(this.timer);
    this.source.close();
    this.isLive = false;
    this.handlers.cut();
  }
}
