// ---- The land -----------------------------------------------------------------------------------------------------------------

/** See coastline/README.md. Longitudes go on beyond the antimeridian: such a ring is drawn at both ends of the map. */
const COASTLINE = '/* coastline */';

/** The land to be filled and its coasts to be drawn, in world coordinates; an edge that only closes a ring is no coast. */
function coastline() {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const value = new Map(Array.from(digits, (digit, at) => [digit, at]));
  let at = 0;
  const number = () => {
    let [result, shift] = [0, 1];
    for (;;) {
      const digit = value.get(COASTLINE[at]);
      at += 1;
      result += (digit & 31) * shift;
      if (digit < 32) return result;
      shift *= 32;
    }
  };
  const signed = () => {
    const read = number();
    return read % 2 === 0 ? read / 2 : -(read + 1) / 2;
  };
  const [land, coast] = [new Path2D(), new Path2D()];
  let [x, y] = [0, 0];
  while (at < COASTLINE.length) {
    const ring = [];
    for (let left = number(); left > 0; left -= 1) {
      [x, y] = [x + signed(), y + signed()];
      ring.push([x, y]);
    }
    addRing(ring, 0, land, coast);
    if (ring.some(([longitude]) => longitude > 3600)) addRing(ring, -7200, land, coast);
    if (ring.some(([longitude]) => longitude < -3600)) addRing(ring, 7200, land, coast);
  }
  return { land, coast };
}

function addRing(ring, shift, land, coast) {
  let before = ring[ring.length - 1];
  for (const [index, point] of ring.entries()) {
    const [to, from] = [point, before].map(([longitude, latitude]) => [((longitude + shift) / 20 + 180) / 360, (90 - latitude / 20) / 360]);
    if (index === 0) land.moveTo(...to); else land.lineTo(...to);
    // What leads to the pole and along it.
    if (point[1] !== -1800 && before[1] !== -1800) [coast.moveTo(...from), coast.lineTo(...to)];
    before = point;
  }
  land.closePath();
}
