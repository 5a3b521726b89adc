// One server of a herd, with Node.js's net.
//
// usage: node herd.js NAME HERD PLACES
'use strict';

const { isUtf8 } = require('node:buffer');
const fs = require('node:fs');
const net = require('node:net');
const { performance } = require('node:perf_hooks');

const HOST = '127.0.0.1';
const LINE_MAX = 8192;
const RESULTS_MAX = 20;
const DAY_S = 86_400;
const NANOS = 1_000_000_000;
const REDIAL_MS = 100;
const LF = 10;

// Lines are strings of Latin-1, a character a byte, so that they go out as they came. \s would match more than the six of them.
const IAMAT = new RegExp(
  '^[ \\t\\r\\f\\v]*IAMAT[ \\t\\r\\f\\v]+([^ \\t\\r\\f\\v]{1,4096})[ \\t\\r\\f\\v]+' +
  '([+-](?:[0-8]?\\d(?:\\.\\d+)?|90(?:\\.0+)?)[+-](?:(?:0?\\d?\\d|1[0-7]\\d)(?:\\.\\d+)?|180(?:\\.0+)?))' +
  '[ \\t\\r\\f\\v]+((0*\\d{1,12})(?:\\.(\\d{1,9}))?)[ \\t\\r\\f\\v]*$',
);
const WHATSAT =
  /^[ \t\r\f\v]*WHATSAT[ \t\r\f\v]+([^ \t\r\f\v]{1,4096})[ \t\r\f\v]+(\d+(?:\.\d+)?)[ \t\r\f\v]+(0*\d{1,2})[ \t\r\f\v]*$/;
const BEYOND_ASCII = /[\x80-\xff]/;

/**
 * A moment, exactly: a number can't hold nanoseconds since 1970.
 * @typedef {{ seconds: number, nanos: number }} Time
 */

/**
 * What is known of a client.
 * @typedef {{ time: Time, at: string }} Known
 */

/**
 * A line of the herd's file.
 * @typedef {{ name: string, clientPort: number, peerPort: number, neighbours: string[] }} Member
 */

/** Cuts what is received into lines. */
class Lines {
  /** @type {Buffer} */
  #rest = Buffer.alloc(0);

  /**
   * @param {Buffer} data
   * @returns {string[]}
   */
  cut(data) {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, data]) : data;
    const lines = [];
    let start = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
      // A string of its own each: a piece of a longer one would keep all of that in memory.
      lines.push(bytes.toString('latin1', start, end));
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    return lines;
  }

  /** What came behind the last LF. */
  get rest() {
    return this.#rest.toString('latin1');
  }

  get isTooLong() {
    return this.#rest.length > LINE_MAX;
  }
}

/** A connection to a neighbour, who is told all that is known, and from then on what is new. */
class Link {
  /** @type {net.Socket | null} */
  #socket = null;
  /**
   * Of each client only the newest, so that a slow neighbour costs little memory.
   * @type {Map<string, string>}
   */
  #pending = new Map();
  #isFull = false;

  /**
   * @param {Server} server
   * @param {string} name
   * @param {number} port
   */
  constructor(server, name, port) {
    this.server = server;
    this.name = name;
    this.port = port;
  }

  /**
   * Dials again and again.
   * @param {() => void} onConnected
   */
  dial(onConnected) {
    const socket = net.connect({ port: this.port, host: HOST, noDelay: true });
    socket.on('connect', () => {
      this.#socket = socket;
      this.#isFull = false;
      this.#pending = new Map();
      for (const [client, { at }] of this.server.records) {
        this.#pending.set(client, at);
      }
      this.#flush();
      onConnected();
    });
    socket.on('drain', () => {
      this.#isFull = false;
      this.#flush();
    });
    // Nothing comes from there, but its end is noticed by reading.
    socket.resume();
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#socket = null;
      setTimeout(() => this.dial(onConnected), REDIAL_MS);
    });
  }

  /**
   * @param {string} client
   * @param {string} at
   */
  push(client, at) {
    if (this.#pending.size === 0) {
      // What else comes in this turn of the loop goes out with it.
      setImmediate(() => this.#flush());
    }
    this.#pending.set(client, at);
  }

  #flush() {
    if (this.#socket === null || this.#isFull || this.#pending.size === 0) {
      return;
    }
    let lines = '';
    for (const at of this.#pending.values()) {
      lines += `${at} ${this.server.name}\n`;
    }
    this.#pending.clear();
    this.#isFull = !this.#socket.write(lines, 'latin1');
  }
}

class Server {
  /** @type {Map<string, Known>} */
  records = new Map();
  /** @type {Link[]} */
  #links;
  /** @type {Member} */
  #me;
  /** @type {string[]} */
  #places;

  /**
   * @param {string} name
   * @param {Map<string, Member>} herd
   * @param {string[]} places
   */
  constructor(name, herd, places) {
    this.name = name;
    this.#me = member(herd, name);
    this.#places = places;
    this.#links = this.#me.neighbours.map((neighbour) => new Link(this, neighbour, member(herd, neighbour).peerPort));
  }

  /** @param {() => void} onLinked Called once, when all neighbours have been reached. */
  run(onLinked) {
    const options = { allowHalfOpen: true, noDelay: true };
    const clients = net.createServer(options, (socket) => this.#serveClient(socket));
    const peers = net.createServer((socket) => this.#servePeer(socket));
    clients.listen(this.#me.clientPort, HOST, 1024, () => {
      peers.listen(this.#me.peerPort, HOST, () => this.#dialAll(onLinked));
    });
  }

  /** @param {() => void} onLinked */
  #dialAll(onLinked) {
    const missing = new Set(this.#links);
    if (missing.size === 0) {
      onLinked();
    }
    for (const link of this.#links) {
      link.dial(() => {
        if (missing.delete(link) && missing.size === 0) {
          onLinked();
        }
      });
    }
  }

  /** @param {net.Socket} socket */
  #serveClient(socket) {
    const lines = new Lines();
    socket.on('data', (data) => {
      const now = wallClock();
      let replies = '';
      for (const line of lines.cut(data)) {
        replies += this.#answer(line, now);
      }
      // Who does not read replies is not read from.
      if (replies !== '' && !socket.write(replies, 'latin1')) {
        socket.pause();
      }
      if (lines.isTooLong) {
        socket.end(`? ${lines.rest.slice(0, 64)}\n`, 'latin1');
        socket.removeAllListeners('data').resume();
      }
    });
    socket.on('drain', () => socket.resume());
    socket.on('end', () => {
      if (lines.rest !== '' && !lines.isTooLong) {
        socket.write(this.#answer(lines.rest, wallClock()), 'latin1');
      }
      socket.end();
    });
    socket.on('error', () => {});
  }

  /** @param {net.Socket} socket */
  #servePeer(socket) {
    const lines = new Lines();
    socket.on('data', (data) => {
      for (const line of lines.cut(data)) {
        this.#hear(line);
      }
    });
    socket.on('error', () => {});
  }

  /**
   * The reply to a client's line, its LF included.
   * @param {string} line
   * @param {Time} now
   * @returns {string}
   */
  #answer(line, now) {
    return this.#iamat(line, now) ?? this.#whatsat(line) ?? `? ${line.endsWith('\r') ? line.slice(0, -1) : line}\n`;
  }

  /**
   * @param {string} line
   * @param {Time} now
   * @returns {string | null}
   */
  #iamat(line, now) {
    const match = IAMAT.exec(line);
    if (match === null) {
      return null;
    }
    const [, client, location, text, seconds, fraction] = match;
    const time = toTime(seconds, fraction);
    const isAhead = time.seconds - now.seconds > DAY_S || (time.seconds - now.seconds === DAY_S && time.nanos > now.nanos);
    if (isAhead || (BEYOND_ASCII.test(client) && !isUtf8(Buffer.from(client, 'latin1')))) {
      return null;
    }
    const at = `AT ${this.name} ${skew(now, time)} ${client} ${location} ${text}`;
    this.#learn(client, { time, at }, null);
    return `${at}\n`;
  }

  /**
   * @param {string} line
   * @returns {string | null}
   */
  #whatsat(line) {
    const match = WHATSAT.exec(line);
    if (match === null) {
      return null;
    }
    const known = this.records.get(match[1]);
    const [radius, limit] = [Number(match[2]), Number(match[3])];
    if (known === undefined || radius <= 0 || radius > 50 || limit > RESULTS_MAX) {
      return null;
    }
    return `${known.at}\n${this.#places[limit]}\n\n`;
  }

  /**
   * Takes a neighbour's `AT server skew client location time sender`.
   * @param {string} line
   */
  #hear(line) {
    const fields = line.split(' ');
    if (fields.length !== 7) {
      console.error(`not from a neighbour: ${line}`);
      return;
    }
    const [, , , client, , text, sender] = fields;
    const [seconds, fraction] = text.split('.');
    const at = line.slice(0, -(sender.length + 1));
    this.#learn(client, { time: toTime(seconds, fraction), at }, sender);
  }

  /**
   * @param {string} client
   * @param {Known} record
   * @param {string | null} sender
   */
  #learn(client, record, sender) {
    const known = this.records.get(client);
    if (known !== undefined && !isNewer(record, known)) {
      return;
    }
    this.records.set(client, record);
    for (const link of this.#links) {
      if (link.name !== sender) {
        link.push(client, record.at);
      }
    }
  }
}

/**
 * Of two equally new records, all servers choose the same.
 * @param {Known} a
 * @param {Known} b
 */
function isNewer(a, b) {
  return isLater(a.time, b.time) || (!isLater(b.time, a.time) && a.at > b.at);
}

/**
 * @param {Time} a
 * @param {Time} b
 */
function isLater(a, b) {
  return a.seconds > b.seconds || (a.seconds === b.seconds && a.nanos > b.nanos);
}

/**
 * @param {string} seconds
 * @param {string | undefined} fraction
 * @returns {Time}
 */
function toTime(seconds, fraction) {
  return { seconds: Number(seconds), nanos: fraction === undefined ? 0 : Number(fraction.padEnd(9, '0')) };
}

/**
 * `now` less `time`, with a sign and nine decimals.
 * @param {Time} now
 * @param {Time} time
 */
function skew(now, time) {
  const [later, earlier, sign] = isLater(time, now) ? [time, now, '-'] : [now, time, '+'];
  const borrow = later.nanos < earlier.nanos ? 1 : 0;
  const seconds = later.seconds - earlier.seconds - borrow;
  const nanos = later.nanos - earlier.nanos + borrow * NANOS;
  return `${sign}${seconds}.${String(nanos).padStart(9, '0')}`;
}

/**
 * To the microsecond or so, which is what there is.
 * @returns {Time}
 */
function wallClock() {
  const millis = performance.timeOrigin + performance.now();
  const seconds = Math.floor(millis / 1000);
  return { seconds, nanos: Math.floor((millis - seconds * 1000) * 1e6) };
}

/**
 * @param {Map<string, Member>} herd
 * @param {string} name
 */
function member(herd, name) {
  const found = herd.get(name);
  if (found === undefined) {
    throw new Error(`no ${name} in the herd`);
  }
  return found;
}

/**
 * @param {string} path
 * @returns {Map<string, Member>}
 */
function readHerd(path) {
  const herd = new Map();
  for (const line of fs.readFileSync(path, 'utf8').trim().split('\n')) {
    const [name, clientPort, peerPort, ...neighbours] = line.split(' ');
    herd.set(name, { name, clientPort: Number(clientPort), peerPort: Number(peerPort), neighbours });
  }
  return herd;
}

/**
 * The JSON with no result, with the first, with the first two, and so on. Each result is a line of the file.
 * @param {string} path
 * @returns {string[]}
 */
function readPlaces(path) {
  const lines = fs.readFileSync(path, 'latin1').trimEnd().split('\n');
  const [head, results, tail] = [lines[0], lines.slice(1, -1), lines[lines.length - 1]];
  const places = [`${head}\n${tail}`];
  for (let limit = 1; limit <= RESULTS_MAX; limit += 1) {
    places.push([head, results.slice(0, limit).join('\n').replace(/,$/, ''), tail].join('\n'));
  }
  return places;
}

function main() {
  const [name, herd, places] = process.argv.slice(2);
  new Server(name, readHerd(herd), readPlaces(places)).run(() => console.log('linked'));
}

main();
