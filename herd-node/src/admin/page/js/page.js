// ---- The page -----------------------------------------------------------------------------------------------------------------

const calm = matchMedia('(prefers-reduced-motion: reduce)');
const dark = matchMedia('(prefers-color-scheme: dark)');

const page = {
  paused: false,
  /** The newest status, and when it came. */
  status: null,
  heardAt: 0,
  boot: null,
  /** Positions as they change, from the first status on; and whether they come. */
  events: null,
  isLive: false,
};

const store = new Store();
const graph = new Graph();
const map = new WorldMap(store);
const plots = new Plots();
const alarms = new Alarms();
const search = new Search(store, map, (record) => take([record]));
const posts = new Posts((client) => search.find(client));

/** Records into the store, and onto the map. */
function take(records) {
  const [now, glides] = [performance.now(), !calm.matches];
  for (const record of records) store.put(record, graph.colourOf(record.server), now, glides);
  map.wake(glides ? GLIDE_MS : 0);
  showCount();
}

function showCount() {
  $('map-empty').hidden = store.count > 0;
  const known = Math.max(page.status?.records ?? 0, store.count);
  const some = store.count < known ? ` of ${whole(known)}` : '';
  const state = page.paused ? 'paused' : page.isLive ? 'live' : 'not live';
  say($('map-summary'), store.count === 0 ? 'No position yet.' : `${whole(store.count)}${some} shown, ${state}`);
}

function onStatus(status) {
  const [isFirst, wasCut] = [page.status === null, !$('banner').hidden];
  [page.status, page.heardAt] = [status, performance.now()];
  if (wasCut) connected(page.boot !== null && page.boot !== status.boot);
  page.boot = status.boot;
  showReady(status);
  say($('name'), visible(status.name, 40));
  say($('herd'), `of herd ${visible(status.herd, 40)}`);
  document.title = `${visible(status.name, 40)} · Herd`;
  plots.show(status, page.heardAt);
  alarms.show(status.alarms);
  if (page.paused && !isFirst) return;
  graph.show(status);
  if (isFirst) hear();
  if (isFirst && page.paused) page.events.close();
  showLinks(status.peers ?? []);
  showServer(status);
  posts.seed(status.newest, status.name, page.isLive);
  showCount();
  showAreas(store);
  search.refresh();
}

function showReady({ ready }) {
  const [tone, text] = ready === undefined ? ['quiet', 'Connected'] : ready.ready ? ['good', 'Ready'] : ['warn', `Not ready: ${visible(ready.text ?? ready.why, 80)}`];
  $('ready').dataset.tone = tone;
  say($('ready-text'), text);
}

function connected(restarted) {
  $('banner').hidden = true;
  document.body.classList.remove('stale');
  say($('said'), restarted ? 'Connected again: the server has been restarted.' : 'Connected again.');
}

function onSilence(why) {
  const first = $('banner').hidden;
  $('banner').hidden = false;
  document.body.classList.add('stale');
  $('ready').dataset.tone = 'bad';
  say($('ready-text'), 'Disconnected');
  const old = page.status ? ` What you see is ${duration(performance.now() - page.heardAt)} old.` : '';
  const text = `The server does not tell how it is: ${why}. Trying again every second.`;
  say($('banner-text'), text + old);
  if (first) say($('alarm-said'), `Disconnected. ${text}`);
}

function setPaused(paused) {
  page.paused = paused;
  $('pause').setAttribute('aria-pressed', String(paused));
  say($('pause'), paused ? 'Paused' : 'Pause');
  // Nobody looks at what comes meanwhile, so nobody sends it.
  if (paused) page.events?.close();
  else page.events?.open();
  showCount();
}

// ---- Light and dark

const THEMES = ['auto', 'light', 'dark'];
const THEME_LABELS = { auto: 'Colours: as the system has them', light: 'Colours: light', dark: 'Colours: dark' };

function setTheme(theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  say($('theme'), `◐ ${theme[0].toUpperCase()}${theme.slice(1)}`);
  $('theme').setAttribute('aria-label', THEME_LABELS[theme]);
  $('theme').dataset.choice = theme;
  map.recolour();
}

/** A browser may keep nothing for us. */
function kept(theme) {
  try {
    if (theme) localStorage.setItem('herd-theme', theme);
    return localStorage.getItem('herd-theme');
  } catch {
    return null;
  }
}

$('theme').addEventListener('click', () => {
  const theme = THEMES[(THEMES.indexOf($('theme').dataset.choice) + 1) % THEMES.length];
  setTheme(theme);
  kept(theme);
});
dark.addEventListener('change', () => map.recolour());
$('pause').addEventListener('click', () => setPaused(!page.paused));
$('as-text').addEventListener('toggle', () => showAreas(store));

setTheme(THEMES.includes(kept()) ? kept() : 'auto');
new Poll(onStatus, onSilence);

/** Once it is known who the servers are: they are to have their colours by then. */
function hear() {
  page.events = new Events({
    begin: () => {
      store.begin();
      page.isLive = false;
    },
    positions: (records, isLive) => {
      take(records);
      if (isLive && records.length > 0) posts.add(records);
      search.refresh();
    },
    gone: (clients) => {
      for (const client of Array.isArray(clients) ? clients : []) store.remove(client);
      map.wake();
      showCount();
    },
    live: () => {
      page.isLive = true;
      store.settle();
      map.wake();
      showCount();
    },
    cut: () => {
      page.isLive = posts.isSettled = false;
      showCount();
    },
  });
}
