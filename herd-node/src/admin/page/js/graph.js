// ---- The herd as a graph ------------------------------------------------------------------------------------------------------

/** Servers that are drawn. */
const NODES_MAX = 40;
/** Records that wait for a peer before it counts as behind; under load there are always some. */
const BEHIND_MIN = 1000;

/**
 * How a link of this server is: `up`, `behind` or `down`. That both ends are not seen to hold the same is nothing by itself: under
 * load there is always something under way.
 */
function linkState(peer) {
  if (peer.state !== 'connected') return 'down';
  return !peer.in_sync && (peer.dirty > BEHIND_MIN || peer.comparison_jobs > 0) ? 'behind' : 'up';
}

function linkWord(peer) {
  return { up: peer.in_sync ? 'in sync' : 'up', behind: 'catching up', down: 'down' }[linkState(peer)];
}

/** Every server this one knows of, in the order of the herd's links, and every link once: [one, other, peer or null]. */
function herdOf(status) {
  const links = new Map();
  const key = (one, other) => JSON.stringify([one, other].sort());
  for (const pair of Array.isArray(status.herd_links) ? status.herd_links : []) {
    if (Array.isArray(pair) && pair.length === 2) links.set(key(...pair.map(String)), [...pair.map(String), null]);
  }
  for (const peer of status.peers ?? []) links.set(key(status.name, peer.name), [status.name, peer.name, peer]);
  const names = new Set([...links.values()].flatMap(([one, other]) => [one, other])).add(status.name);
  const servers = [...names].slice(0, NODES_MAX);
  return { servers, links: [...links.values()].filter(([one, other]) => servers.includes(one) && servers.includes(other)) };
}

/** An order around a circle that has few crossings and short lines: neighbours are swapped as long as that gets better. */
function around(servers, links) {
  const order = [...servers];
  const cost = () => {
    const place = new Map(order.map((name, at) => [name, at]));
    const lines = links.map(([one, other]) => [place.get(one), place.get(other)].sort((a, b) => a - b));
    let sum = 0;
    lines.forEach(([a, b], at) => {
      sum += Math.min(b - a, order.length - b + a);
      for (const [c, d] of lines.slice(at + 1)) {
        if ((a < c && c < b && b < d) || (c < a && a < d && d < b)) sum += 10;
      }
    });
    return sum;
  };
  let best = cost();
  for (let better = true, turns = 0; better && turns < 12; turns += 1) {
    better = false;
    for (let i = 1; i < order.length; i += 1) {
      for (let j = i + 1; j < order.length; j += 1) {
        [order[i], order[j]] = [order[j], order[i]];
        const now = cost();
        if (now < best) [best, better] = [now, true];
        else [order[i], order[j]] = [order[j], order[i]];
      }
    }
  }
  return order;
}

class Graph {
  constructor() {
    this.svg = $('graph');
    this.shape = '';
    this.edges = new Map();
    /** The colour of each server, by the order in which they were heard of. */
    this.colours = new Map();
  }

  colourOf(server) {
    if (!this.colours.has(server)) {
      // A stranger's name costs memory; the last colour is for all further ones.
      if (this.colours.size >= NODES_MAX) return SERVER_COLOURS - 1;
      this.colours.set(server, Math.min(this.colours.size, SERVER_COLOURS - 1));
      this.legend();
    }
    return this.colours.get(server);
  }

  legend() {
    const items = [...this.colours].slice(0, SERVER_COLOURS).map(([name, colour]) => {
      const swatch = make('span', { class: 'swatch', 'aria-hidden': 'true' });
      swatch.style.background = `var(--server-${colour})`;
      return make('li', {}, swatch, colour === SERVER_COLOURS - 1 && this.colours.size > SERVER_COLOURS ? 'others' : visible(name, 24));
    });
    $('servers-legend').replaceChildren(...items);
  }

  show(status) {
    const { servers, links } = herdOf(status);
    const shape = JSON.stringify([status.name, servers, links.map(([one, other]) => [one, other])]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.draw(status.name, servers, links);
    }
    const told = [];
    for (const [one, other, peer] of links) {
      const state = peer ? linkState(peer) : 'configured';
      const { line, text } = this.edges.get(`${one}\n${other}`);
      line.dataset.state = text.dataset.state = state;
      say(text, peer ? linkWord(peer) : '');
      if (peer) told.push(`${visible(peer.name, 24)} ${linkWord(peer)}`);
    }
    const down = (status.peers ?? []).filter((peer) => linkState(peer) === 'down').length;
    const peers = (status.peers ?? []).length;
    say($('herd-summary'), `${counted(servers.length, 'server')} · ${peers - down} of ${counted(peers, 'link')} up`);
    const label = `The herd as a graph: ${counted(servers.length, 'server')}, ${counted(links.length, 'link')}. Links of ${visible(status.name, 24)}: ${told.join(', ') || 'none'}.`;
    if (this.svg.getAttribute('aria-label') !== label) this.svg.setAttribute('aria-label', label);
  }

  draw(own, servers, links) {
    const order = around(servers, links);
    const [middleX, middleY, radiusX, radiusY] = [180, 128, 122, 88];
    const node = order.length > 16 ? 6 : 11;
    const places = new Map(order.map((name, at) => {
      const turn = (2 * Math.PI * at) / order.length - Math.PI / 2;
      return [name, order.length === 1 ? [middleX, middleY] : [middleX + radiusX * Math.cos(turn), middleY + radiusY * Math.sin(turn)]];
    }));
    const [lines, texts, nodes] = [drawn('g'), drawn('g'), drawn('g')];
    this.edges.clear();
    // In the herd's order, so that a server has the same colour on every server's page.
    servers.forEach((name) => this.colourOf(name));
    for (const [one, other, peer] of links) {
      const [[ax, ay], [bx, by]] = [places.get(one), places.get(other)];
      const line = drawn('path', { class: 'edge', d: `M${ax} ${ay}L${bx} ${by}`, 'data-link': peer ? peer.name : `${one} ${other}` });
      const text = drawn('text', { class: 'edge-text', x: (ax + bx) / 2, y: (ay + by) / 2 + 4 });
      [lines.append(line), texts.append(text)];
      this.edges.set(`${one}\n${other}`, { line, text });
    }
    for (const [name, [x, y]] of places) {
      const dot = drawn('circle', { class: 'node', cx: x, cy: y, r: node });
      dot.style.fill = `var(--server-${this.colourOf(name)})`;
      nodes.append(dot);
      if (name === own) nodes.append(drawn('circle', { class: 'ring', cx: x, cy: y, r: node + 3 }));
      const [above, label] = [y < middleY, visible(name, 14)];
      nodes.append(drawn('text', { class: name === own ? 'node-name own' : 'node-name', x, y: above ? y - node - 9 : y + node + 18 }, label));
    }
    const heights = [...places.values()].map(([, y]) => y);
    const top = Math.min(...heights) - node - 26;
    this.svg.setAttribute('viewBox', `0 ${top} 360 ${Math.max(...heights) + node + 28 - top}`);
    this.svg.replaceChildren(lines, texts, nodes);
  }
}
