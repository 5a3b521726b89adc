// ---- Finding a client ---------------------------------------------------------------------------------------------------------

const MATCHES_SHOWN = 10;
/** How long the server may take to say whether it knows a client. */
const ASKED_MAX_MS = 5000;

class Search {
  constructor(store, map, takeIn) {
    Object.assign(this, { store, map, takeIn, client: null, asked: null });
    $('search').addEventListener('submit', (event) => {
      event.preventDefault();
      this.find($('search-id').value);
    });
    $('found-close').addEventListener('click', () => this.close());
    $('found-centre').addEventListener('click', () => this.map.show(this.client));
    map.onPick = (client) => this.pick(client);
  }

  find(text) {
    // The wire's white space, which is in no ID: what was pasted around it. Not `trim`, which takes more.
    const wanted = text.replace(/^[ \t-\r]+|[ \t-\r]+$/g, '');
    if (wanted === '') return;
    if (this.store.find(wanted)) {
      this.pick(wanted);
      this.map.show(wanted);
      return;
    }
    const matches = this.store.matching(wanted, MATCHES_SHOWN);
    if (matches.length > 0) this.offer(wanted, matches);
    else this.ask(wanted);
  }

  offer(wanted, matches) {
    this.open(wanted, null);
    const more = matches.length === MATCHES_SHOWN ? `the first ${MATCHES_SHOWN} whose IDs hold it` : `${counted(matches.length, 'client')} whose ID holds it`;
    this.note(`No client has just this ID; ${more}:`);
    $('matches').replaceChildren(...matches.map(({ client }) => {
      const button = make('button', { type: 'button' }, visible(client, 60));
      button.addEventListener('click', () => [this.pick(client), this.map.show(client)]);
      return make('li', {}, button);
    }));
  }

  /** The page does not hold every client of a large herd; the server does. */
  ask(wanted) {
    this.open(wanted, null);
    this.note('Asking the server…');
    const source = new EventSource(address(`/events?client=${encodeURIComponent(wanted)}`));
    const end = (text) => {
      this.forget();
      if (text) this.note(text);
    };
    const timer = setTimeout(() => end('The server has not answered.'), ASKED_MAX_MS);
    this.asked = { source, timer };
    source.addEventListener('positions', (event) => {
      const record = JSON.parse(event.data).find((each) => isRecord(each) && each.client === wanted);
      if (!record) return;
      end('');
      this.takeIn(record);
      this.pick(wanted, record);
      this.map.show(wanted);
    });
    source.addEventListener('live', () => end('Not known to this server.'));
    source.addEventListener('error', () => end('The server can’t be asked now.'));
  }

  forget() {
    if (this.asked) [this.asked.source.close(), clearTimeout(this.asked.timer)];
    this.asked = null;
  }

  pick(client, record = this.store.find(client)) {
    this.open(client, record);
    this.note('');
    this.refresh();
    if (record) say($('said'), `${visible(client)}: ${this.place(record)}`);
  }

  open(client, record) {
    this.forget();
    this.client = record ? client : null;
    this.map.selected = this.client;
    this.map.wake();
    $('matches').replaceChildren();
    $('found').hidden = false;
    $('found-facts').hidden = $('found-centre').hidden = !record;
    say($('found-id'), visible(client, 300));
  }

  close() {
    this.forget();
    this.client = this.map.selected = null;
    this.map.wake();
    $('found').hidden = true;
    $('search-id').focus();
  }

  note(text) {
    say($('found-note'), text);
    if (text) say($('said'), text);
  }

  place(record) {
    return `${angle(record.lat, 'N', 'S', 4)}, ${angle(record.lon, 'E', 'W', 4)}`;
  }

  /** It may have moved, or have gone. */
  refresh() {
    if (this.client === null) return;
    const record = this.store.find(this.client);
    if (!record) {
      say($('found-note'), 'No longer known to this server.');
      return;
    }
    describe($('found-facts'), [
      ['Position', this.place(record)],
      ['As posted', visible(record.location, 60)],
      ['Its time, UTC', moment(record.time)],
      ['Taken in by', visible(record.server, 24)],
      ['Skew', `${visible(record.skew, 30)} s`],
    ]);
  }
}
