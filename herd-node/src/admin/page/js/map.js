// ---- The map ------------------------------------------------------------------------------------------------------------------

const ZOOM_MAX = 256;
/** Pixels from a point within which a click means it. */
const CLICK_REACH = 10;
const SERVER_COLOURS = 8;

/** Two canvases: the land, drawn anew when the view changes, and the points, drawn while something moves. */
class WorldMap {
  constructor(store) {
    this.store = store;
    this.box = $('map');
    this.land = $('land').getContext('2d');
    this.points = $('points').getContext('2d');
    this.paths = coastline();
    this.view = { zoom: 1, x: 0.5, y: 0.25 };
    this.selected = null;
    this.movingUntil = 0;
    this.framed = false;
    this.onPick = () => {};
    new ResizeObserver(() => this.resize()).observe(this.box);
    this.recolour();
    this.listen();
  }

  /** The colours of the theme; a canvas knows no variables. */
  recolour() {
    const probe = make('span', { hidden: '' });
    document.body.append(probe);
    const colour = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    this.colours = Object.fromEntries(['sea', 'land', 'coast', 'grid', 'ink', 'card', 'accent'].map((name) => [name, colour(name)]));
    this.serverColours = Array.from({ length: SERVER_COLOURS }, (_, at) => colour(`server-${at}`));
    // As their bytes lie in memory: red first.
    this.serverPixels = this.serverColours.map((rgb) => {
      const [red, green, blue] = rgb.match(/\d+/g).map(Number);
      return new Uint32Array(new Uint8Array([red, green, blue, 255]).buffer)[0];
    });
    probe.remove();
    this.drawLand();
    this.wake();
  }

  resize() {
    const [width, height] = [this.box.clientWidth, this.box.clientHeight];
    this.ratio = Math.min(window.devicePixelRatio || 1, 2);
    for (const { canvas } of [this.land, this.points]) {
      [canvas.width, canvas.height] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
    }
    this.drawLand();
    this.wake();
  }

  /** Device pixels a world's width has. */
  get scale() {
    const { width, height } = this.points.canvas;
    return Math.min(width, 2 * height) * this.view.zoom;
  }

  move(x, y, zoom = this.view.zoom) {
    this.view.zoom = clamp(zoom, 1, ZOOM_MAX);
    const { width, height } = this.points.canvas;
    const [halfX, halfY] = [width / this.scale / 2, height / this.scale / 2];
    this.view.x = halfX >= 0.5 ? 0.5 : clamp(x, halfX, 1 - halfX);
    this.view.y = halfY >= 0.25 ? 0.25 : clamp(y, halfY, 0.5 - halfY);
    this.drawLand();
    this.wake();
  }

  /** Zooms so that what is under (x, y), in device pixels from the middle, stays there. */
  zoomBy(factor, x = 0, y = 0) {
    const zoom = clamp(this.view.zoom * factor, 1, ZOOM_MAX);
    const [before, after] = [this.scale, this.scale * zoom / this.view.zoom];
    this.move(this.view.x + x / before - x / after, this.view.y + y / before - y / after, zoom);
  }

  show(client) {
    const slot = this.store.slots.get(client);
    if (slot === undefined) return;
    this.move(this.store.x1[slot], this.store.y1[slot], Math.max(this.view.zoom, 6));
  }

  drawLand() {
    const context = this.land;
    const { width, height } = context.canvas;
    if (width === 0) return;
    const scale = this.scale;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = this.colours.sea;
    context.fillRect(0, 0, width, height);
    context.setTransform(scale, 0, 0, scale, width / 2 - this.view.x * scale, height / 2 - this.view.y * scale);
    const pixel = this.ratio / scale;
    context.save();
    context.beginPath();
    context.rect(0, 0, 1, 0.5);
    context.clip();
    this.drawGrid(context, pixel);
    context.fillStyle = this.colours.land;
    context.fill(this.paths.land, 'evenodd');
    context.strokeStyle = this.colours.coast;
    context.lineWidth = 0.75 * pixel;
    context.stroke(this.paths.coast);
    context.restore();
  }

  drawGrid(context, pixel) {
    const step = [30, 10, 5, 1].find((each) => each * this.scale / 360 < 260 * this.ratio) ?? 1;
    context.strokeStyle = this.colours.grid;
    context.lineWidth = pixel;
    context.beginPath();
    for (let at = 0; at <= 360; at += step) {
      context.moveTo(at / 360, 0);
      context.lineTo(at / 360, 0.5);
    }
    for (let at = 0; at <= 180; at += step) {
      context.moveTo(0, at / 360);
      context.lineTo(1, at / 360);
    }
    context.stroke();
  }

  /** Something has moved, or is to be drawn once more. */
  wake(glideMs = 0) {
    this.movingUntil = Math.max(this.movingUntil, performance.now() + glideMs);
    if (!this.framed) {
      this.framed = true;
      requestAnimationFrame((now) => this.frame(now));
    }
  }

  frame(now) {
    this.framed = false;
    this.drawPoints(now);
    if (now < this.movingUntil) this.wake();
  }

  drawPoints(now) {
    const context = this.points;
    const { width, height } = context.canvas;
    const [left, top] = [width / 2 - this.view.x * this.scale, height / 2 - this.view.y * this.scale];
    const size = Math.max(2, Math.round(this.size() * this.ratio));
    context.setTransform(1, 0, 0, 1, 0, 0);
    // Of thousands nobody sees the corners.
    const count = size > 4 * this.ratio ? this.drawRound(now, left, top, size) : this.drawSquare(now, left, top, size);
    context.canvas.dataset.count = String(count);
    this.drawSelected(now, left, top);
  }

  /** A few points, as circles; how many are within the view. */
  drawRound(now, left, top, size) {
    const { store, points: context, scale } = this;
    const { width, height } = context.canvas;
    let count = 0;
    context.clearRect(0, 0, width, height);
    for (let colour = 0; colour < SERVER_COLOURS; colour += 1) {
      context.fillStyle = this.serverColours[colour];
      context.beginPath();
      for (let slot = 0; slot < store.records.length; slot += 1) {
        if (store.colours[slot] !== colour) continue;
        const part = Math.min((now - store.since[slot]) / GLIDE_MS, 1);
        const x = (store.x0[slot] + (store.x1[slot] - store.x0[slot]) * part) * scale + left;
        const y = (store.y0[slot] + (store.y1[slot] - store.y0[slot]) * part) * scale + top;
        if (x < -size || y < -size || x > width + size || y > height + size) continue;
        count += 1;
        context.moveTo(x + size / 2, y);
        context.arc(x, y, size / 2, 0, 2 * Math.PI);
      }
      context.fill();
    }
    return count;
  }

  /** Many points, as squares, pixel by pixel, which costs a third less than as many calls. How many are within the view. */
  drawSquare(now, left, top, size) {
    const { store, points: context, scale } = this;
    const { width, height } = context.canvas;
    if (this.image?.width !== width || this.image.height !== height) {
      this.image = context.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    const pixels = this.pixels.fill(0);
    let count = 0;
    for (let slot = 0; slot < store.records.length; slot += 1) {
      const part = Math.min((now - store.since[slot]) / GLIDE_MS, 1);
      const x = Math.round((store.x0[slot] + (store.x1[slot] - store.x0[slot]) * part) * scale + left - size / 2);
      const y = Math.round((store.y0[slot] + (store.y1[slot] - store.y0[slot]) * part) * scale + top - size / 2);
      if (x <= -size || y <= -size || x >= width || y >= height) continue;
      count += 1;
      const [end, last] = [Math.min(x + size, width), Math.min(y + size, height)];
      for (let row = Math.max(y, 0); row < last; row += 1) {
        pixels.fill(this.serverPixels[store.colours[slot]], row * width + Math.max(x, 0), row * width + end);
      }
    }
    context.putImageData(this.image, 0, 0);
    return count;
  }

  /** Width of a point in CSS pixels: the fewer, the larger. */
  size() {
    const seen = this.store.count / Math.min(this.view.zoom, 16);
    return seen > 6000 ? 2 : seen > 1500 ? 3 : seen > 300 ? 5 : 8;
  }

  drawSelected(now, left, top) {
    const slot = this.selected === null ? undefined : this.store.slots.get(this.selected);
    if (slot === undefined) return;
    const { points: context, scale, ratio } = this;
    const [worldX, worldY] = this.store.at(slot, now);
    const [x, y] = [worldX * scale + left, worldY * scale + top];
    for (const [colour, widthOf] of [[this.colours.card, 6], [this.colours.ink, 2.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = widthOf * ratio;
      context.beginPath();
      context.arc(x, y, 11 * ratio, 0, 2 * Math.PI);
      context.stroke();
    }
    context.fillStyle = this.serverColours[this.store.colours[slot]];
    context.beginPath();
    context.arc(x, y, 4.5 * ratio, 0, 2 * Math.PI);
    context.fill();
  }

  /** The client nearest to (x, y), device pixels from the corner, if one is near. */
  nearest(x, y) {
    const { width, height } = this.points.canvas;
    const [left, top] = [width / 2 - this.view.x * this.scale, height / 2 - this.view.y * this.scale];
    let [best, reach] = [null, (CLICK_REACH * this.ratio) ** 2];
    for (let slot = 0; slot < this.store.count; slot += 1) {
      const distance = (this.store.x1[slot] * this.scale + left - x) ** 2 + (this.store.y1[slot] * this.scale + top - y) ** 2;
      if (distance < reach) [best, reach] = [this.store.records[slot].client, distance];
    }
    return best;
  }

  listen() {
    $('zoom-in').addEventListener('click', () => this.zoomBy(2));
    $('zoom-out').addEventListener('click', () => this.zoomBy(0.5));
    $('zoom-all').addEventListener('click', () => this.move(0.5, 0.25, 1));
    this.box.addEventListener('keydown', (event) => this.key(event));
    this.box.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    this.box.addEventListener('dblclick', (event) => this.zoomBy(2, ...this.fromMiddle(event)));
    let from = null;
    this.box.addEventListener('pointerdown', (event) => {
      from = { x: event.clientX, y: event.clientY, view: { ...this.view }, moved: false };
      this.box.setPointerCapture(event.pointerId);
    });
    this.box.addEventListener('pointermove', (event) => {
      if (!from) return;
      const [x, y] = [event.clientX - from.x, event.clientY - from.y];
      from.moved ||= Math.hypot(x, y) > 4;
      if (from.moved) this.move(from.view.x - x * this.ratio / this.scale, from.view.y - y * this.ratio / this.scale);
    });
    this.box.addEventListener('pointerup', (event) => {
      const clicked = from && !from.moved;
      from = null;
      if (!clicked) return;
      const client = this.nearest(...this.fromCorner(event));
      if (client !== null) this.onPick(client);
    });
    this.box.addEventListener('pointercancel', () => { from = null; });
  }

  fromCorner(event) {
    const box = this.box.getBoundingClientRect();
    return [(event.clientX - box.left) * this.ratio, (event.clientY - box.top) * this.ratio];
  }

  fromMiddle(event) {
    const [x, y] = this.fromCorner(event);
    return [x - this.points.canvas.width / 2, y - this.points.canvas.height / 2];
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 0.15 * this.points.canvas.height / this.scale;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (moves[event.key]) this.move(this.view.x + moves[event.key][0], this.view.y + moves[event.key][1]);
    else if (event.key === '+' || event.key === '=') this.zoomBy(1.5);
    else if (event.key === '-') this.zoomBy(1 / 1.5);
    else if (event.key === '0') this.move(0.5, 0.25, 1);
    else return;
    event.preventDefault();
    const { zoom, x, y } = this.view;
    const middle = `${angle(90 - y * 360, 'N', 'S', 0)}, ${angle(x * 360 - 180, 'E', 'W', 0)}`;
    say($('said'), zoom === 1 ? 'The whole world' : `Enlarged ${zoom.toFixed(1)} times, middle at ${middle}`);
  }

  /** Only where the map has the focus, or with Ctrl: the page scrolls otherwise. */
  wheel(event) {
    if (!event.ctrlKey && document.activeElement !== this.box) return;
    event.preventDefault();
    this.zoomBy(Math.exp(clamp(-event.deltaY, -300, 300) / 300), ...this.fromMiddle(event));
  }
}
