// ---- Tables -------------------------------------------------------------------------------------------------------------------

const POSTS_SHOWN = 12;
/** Rows of the positions as text. */
const AREAS_SHOWN = 20;
const AREA_DEGREES = 15;
/** Between two changes of the newest posts: more than that nobody reads. */
const POSTS_EVERY_MS = 400;

const cells = (...classes) => () => make('tr', {}, ...classes.map((name) => make('td', name ? { class: name } : {})));

function showLinks(peers) {
  $('links-empty').hidden = peers.length > 0;
  $('links').parentElement.hidden = peers.length === 0;
  const makeRow = () => make('tr', {}, make('th', { scope: 'row' }), make('td', { class: 'state' }), make('td', { class: 'num' }), make('td', { class: 'num' }));
  fit($('links'), peers, makeRow, (row, peer) => {
    const [name, state, queue, heard] = row.children;
    state.dataset.state = linkState(peer);
    say(name, visible(peer.name, 24));
    say(state, `${linkWord(peer)}${peer.state === 'connected' ? '' : ` for ${duration(peer.since_ms)}`}`);
    // Why it ended may be a stranger's text.
    row.title = peer.closed && peer.state !== 'connected' ? `${peer.state}: ${visible(peer.closed.why, 200)}` : `${peer.state}, ${visible(peer.address)}`;
    say(queue, whole(peer.dirty ?? 0));
    say(heard, Number.isFinite(peer.heard_ms) ? `${duration(peer.heard_ms)} ago` : '–');
  });
}

/** Alarms, and what is new of them for those who listen. */
class Alarms {
  constructor() {
    this.on = null;
  }

  show(alarms) {
    const known = Array.isArray(alarms);
    const list = known ? alarms : [];
    $('alarms-table').hidden = list.length === 0;
    $('alarms-empty').hidden = list.length > 0;
    $('alarms-empty').classList.toggle('good', known);
    say($('alarms-empty'), known ? '✓ No alarm is on.' : 'This server does not tell its alarms.');
    say($('alarms-count'), list.length > 0 ? whole(list.length) : '');
    fit($('alarms'), list, cells('alarm-name', 'text', 'num'), (row, alarm) => {
      say(row.children[0], visible(alarm.alarm, 40));
      say(row.children[1], visible(alarm.text || alarm.peer, 240));
      say(row.children[2], duration(alarm.since_ms));
    });
    this.tell(list);
  }

  tell(list) {
    const named = new Map(list.map((alarm) => [`${alarm.alarm}\n${alarm.peer ?? ''}`, alarm]));
    const [before, told] = [this.on ?? new Map(), []];
    for (const [key, alarm] of named) if (!before.has(key)) told.push(`Alarm: ${visible(alarm.text || alarm.alarm, 240)}`);
    for (const [key, alarm] of before) if (!named.has(key)) told.push(`Over: ${visible(alarm.alarm, 40)} ${visible(alarm.peer ?? '', 40)}`);
    this.on = named;
    if (told.length > 0) say($('alarm-said'), told.join('. '));
  }
}

/** The newest posts of the herd; held still while somebody points at one. */
class Posts {
  constructor(onPick) {
    this.newest = [];
    this.drawnAt = 0;
    this.timer = 0;
    this.isSettled = false;
    this.onPick = onPick;
  }

  add(records) {
    const late = records.slice(-POSTS_SHOWN).reverse();
    const named = new Set(late.map(({ client }) => client));
    this.newest = [...late, ...this.newest.filter(({ client }) => !named.has(client))].slice(0, POSTS_SHOWN);
    if (!this.timer) this.timer = setTimeout(() => this.draw(), clamp(this.drawnAt + POSTS_EVERY_MS - performance.now(), 0, POSTS_EVERY_MS));
  }

  /** What the server says until positions come as they change, and once more then: a post from in between is in neither. */
  seed(newest, server, isLive) {
    if (this.isSettled || !Array.isArray(newest)) return;
    this.isSettled = isLive;
    const shown = new Map(this.newest.map(({ client, time }) => [client, Number.parseFloat(time)]));
    const isNew = (post) => typeof post?.client === 'string' && !(shown.get(post.client) >= Number.parseFloat(post.time));
    const found = newest.filter(isNew).map((post) => ({ server, ...post }));
    // The newest stands first there.
    if (found.length > 0) this.add(found.reverse());
  }

  draw() {
    this.timer = 0;
    const table = $('posts-table');
    if (page.paused || table.matches(':hover') || table.contains(document.activeElement)) {
      this.timer = setTimeout(() => this.draw(), POSTS_EVERY_MS);
      return;
    }
    this.drawnAt = performance.now();
    table.hidden = this.newest.length === 0;
    $('posts-empty').hidden = this.newest.length > 0;
    fit($('posts'), this.newest, () => this.row(), (row, post) => {
      const [client, place, time, server] = row.children;
      row.client = post.client;
      say(client.firstChild, visible(post.client));
      say(place, visible(post.location, 40));
      say(time, momentToday(post.time));
      say(server, visible(post.server, 24));
    });
  }

  row() {
    const row = cells('', '', '', '')();
    const button = make('button', { type: 'button', class: 'link' });
    button.addEventListener('click', () => this.onPick(row.client));
    row.firstChild.append(button);
    return row;
  }
}

function showAreas(store) {
  if (!$('as-text').open) return;
  const band = (from, plus, minus) => `${angle(from, plus, minus, 0)} to ${angle(from + AREA_DEGREES, plus, minus, 0)}`;
  fit($('areas'), store.areas(AREA_DEGREES, AREAS_SHOWN), cells('', '', 'num'), (row, [latitude, longitude, count]) => {
    say(row.children[0], band(latitude, 'N', 'S'));
    say(row.children[1], band(longitude, 'E', 'W'));
    say(row.children[2], whole(count));
  });
}

function showServer(status) {
  const facts = [
    ['Version', visible(status.version, 40)],
    ['Up for', duration(status.uptime_ms)],
    ['A reply promises', visible(status.ack, 40)],
    ['Records', `${whole(status.records)}, ${bytes(status.record_bytes ?? 0).join(' ')}`],
    ['Root', visible(String(status.root ?? '').slice(0, 12))],
    ['Disk', status.disk ? 'on' : 'none: memory only'],
    ['Journal', status.journal ? 'on' : 'off'],
  ];
  if (status.places) facts.push(['Places', placesText(status.places)]);
  const refused = Object.entries(status.refused ?? {}).filter(([, count]) => count > 0);
  if (status.refused) facts.push(['Refused', refused.length > 0 ? refused.map(([why, count]) => `${visible(why, 40)} ${whole(count)}`).join(', ') : 'nothing']);
  describe($('facts'), facts);
}

function placesText(places) {
  const told = Object.entries(places).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  return told.map(([name, value]) => `${visible(name, 30).replaceAll('_', ' ')} ${visible(value, 40)}`).join(', ') || 'on';
}
