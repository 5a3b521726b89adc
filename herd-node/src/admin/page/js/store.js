// ---- Where the clients are ----------------------------------------------------------------------------------------------------

/** Clients that are held and drawn at once; of more the page says so, and still finds each by asking the server. */
const CLIENTS_MAX = 50000;
/** Characters of what is held of them, since an ID may have 4,096 bytes. */
const HELD_CHARS_MAX = 32e6;
/** How long a point takes to its new position. */
const GLIDE_MS = 700;
/** Degrees: further than that it jumps. */
const GLIDE_MAX = 20;

/** Positions by slot, in arrays side by side, so that a frame reads numbers only. World coordinates: x 0..1, y 0..0.5. */
class Store {
  constructor() {
    this.slots = new Map();
    this.records = [];
    this.held = 0;
    this.left = 0;
    this.round = 0;
    this.size(1024);
  }

  size(capacity) {
    for (const name of ['x0', 'y0', 'x1', 'y1', 'since']) {
      const grown = new Float64Array(capacity);
      if (this[name]) grown.set(this[name]);
      this[name] = grown;
    }
    const [colours, rounds] = [new Uint8Array(capacity), new Uint32Array(capacity)];
    if (this.colours) [colours.set(this.colours), rounds.set(this.rounds)];
    [this.colours, this.rounds] = [colours, rounds];
  }

  get count() {
    return this.records.length;
  }

  /** A connection begins with what is known now; what it does not name by the time it is live has gone. */
  begin() {
    this.round += 1;
    this.left = 0;
  }

  settle() {
    for (let slot = this.count - 1; slot >= 0; slot -= 1) {
      if (this.rounds[slot] !== this.round) this.removeSlot(slot);
    }
  }

  /** Takes in a record; whether there was room for it. */
  put(record, colour, now, glides) {
    const [x, y] = [(clamp(record.lon, -180, 180) + 180) / 360, (90 - clamp(record.lat, -90, 90)) / 360];
    let slot = this.slots.get(record.client);
    if (slot === undefined) {
      const chars = length(record);
      if (this.count >= CLIENTS_MAX || this.held + chars > HELD_CHARS_MAX) {
        this.left += 1;
        return false;
      }
      slot = this.records.push(record) - 1;
      if (slot >= this.x0.length) this.size(2 * this.x0.length);
      this.slots.set(record.client, slot);
      this.held += chars;
      [this.x0[slot], this.y0[slot]] = [x, y];
    } else {
      const far = Math.abs(x - this.x1[slot]) > GLIDE_MAX / 360 || Math.abs(y - this.y1[slot]) > GLIDE_MAX / 360;
      // From where it is seen now.
      [this.x0[slot], this.y0[slot]] = glides && !far ? this.at(slot, now) : [x, y];
      this.held += length(record) - length(this.records[slot]);
      this.records[slot] = record;
    }
    [this.x1[slot], this.y1[slot], this.since[slot]] = [x, y, now];
    [this.colours[slot], this.rounds[slot]] = [colour, this.round];
    return true;
  }

  at(slot, now) {
    const part = clamp((now - this.since[slot]) / GLIDE_MS, 0, 1);
    return [
      this.x0[slot] + (this.x1[slot] - this.x0[slot]) * part,
      this.y0[slot] + (this.y1[slot] - this.y0[slot]) * part,
    ];
  }

  find(client) {
    const slot = this.slots.get(client);
    return slot === undefined ? null : this.records[slot];
  }

  remove(client) {
    const slot = this.slots.get(client);
    if (slot !== undefined) this.removeSlot(slot);
  }

  /** The last one takes its place. */
  removeSlot(slot) {
    const last = this.count - 1;
    this.held -= length(this.records[slot]);
    this.slots.delete(this.records[slot].client);
    if (slot !== last) {
      for (const name of ['x0', 'y0', 'x1', 'y1', 'since', 'colours', 'rounds', 'records']) this[name][slot] = this[name][last];
      this.slots.set(this.records[slot].client, slot);
    }
    this.records.pop();
  }

  /** At most `max` clients whose ID holds `part`, whatever its case. */
  matching(part, max) {
    const [wanted, found] = [part.toLowerCase(), []];
    for (const record of this.records) {
      if (record.client.toLowerCase().includes(wanted) && found.push(record) === max) break;
    }
    return found;
  }

  /** [[latitude, longitude, clients], …] of the squares of `step` degrees with the most, at most `max` of them. */
  areas(step, max) {
    const counts = new Map();
    const columns = 360 / step;
    for (const { lat, lon } of this.records) {
      const row = Math.min(Math.floor((clamp(lat, -90, 90) + 90) / step), 180 / step - 1);
      const column = Math.min(Math.floor((clamp(lon, -180, 180) + 180) / step), columns - 1);
      const area = row * columns + column;
      counts.set(area, (counts.get(area) ?? 0) + 1);
    }
    const most = [...counts].sort(([one, a], [other, b]) => b - a || one - other).slice(0, max);
    return most.map(([area, count]) => [Math.floor(area / columns) * step - 90, (area % columns) * step - 180, count]);
  }
}

const clamp = (number, least, most) => (number < least ? least : number > most ? most : number);
const length = (record) => record.client.length + record.location.length + record.time.length + record.server.length + record.skew.length;

/** What the server says of a client, if it is that: so that nothing further on has to doubt it. */
function isRecord(record) {
  const texts = record && [record.client, record.location, record.time, record.server, record.skew];
  return Boolean(texts) && texts.every((text) => typeof text === 'string') && Number.isFinite(record.lat) && Number.isFinite(record.lon);
}
