// ---- What the server says -----------------------------------------------------------------------------------------------------

const POLL_MS = 1000;
/** How long an answer may take before the server counts as gone. */
const ANSWER_MAX_MS = 4000;
/** Between two tries to hear of positions. */
const RETRY_MS = 1000;

/** /status.json, once a second, for ever. */
class Poll {
  constructor(onStatus, onSilence) {
    Object.assign(this, { onStatus, onSilence });
    this.next();
  }

  async next() {
    const begun = performance.now();
    try {
      const response = await fetch('/status.json', { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MAX_MS) });
      if (!response.ok) throw new Error(`it answers with status ${response.status}`);
      const status = await response.json();
      if (typeof status?.name !== 'string') throw new Error('what it answers is no status');
      this.onStatus(status);
    } catch (error) {
      // The browser's own words for a refused connection say little.
      this.onSilence(error instanceof TypeError ? 'it can’t be reached' : error.name === 'TimeoutError' ? 'it does not answer' : error.message);
    }
    setTimeout(() => this.next(), clamp(POLL_MS - (performance.now() - begun), 100, POLL_MS));
  }
}

/** /events, connected again whenever it ends. */
class Events {
  constructor(handlers) {
    this.handlers = handlers;
    this.isLive = false;
    this.open();
  }

  open() {
    this.source = new EventSource('/events');
    this.source.addEventListener('open', () => this.handlers.begin());
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

  /** Not left to the browser, which gives up on some answers and waits longer after others. */
  again() {
    this.source.close();
    this.isLive = false;
    this.handlers.cut();
    setTimeout(() => this.open(), RETRY_MS);
  }
}
