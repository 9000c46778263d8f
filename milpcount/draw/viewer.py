"""The script and style of pages: a canvas that is dragged and zoomed, whatever it shows.

The page draws on a bitmap and moves that bitmap while it is dragged, so panning stays smooth
however many polygons there are; they are drawn anew when the pointer rests.
"""

from __future__ import annotations

__all__ = ["SCRIPT", "STYLE"]

STYLE = """
html,body{margin:0;height:100%;font:14px system-ui,sans-serif;color:#111;background:#fff}
body{display:flex;flex-direction:column}
header,footer{padding:6px 12px;display:flex;gap:14px;align-items:center;flex-wrap:wrap}
h1{font-size:15px;margin:0;font-weight:600}
#stage{flex:1;min-height:0;position:relative}
canvas{position:absolute;inset:0;width:100%;height:100%;cursor:grab;touch-action:none}
#tip{position:absolute;pointer-events:none;background:#fffffff0;border:1px solid #999;
padding:2px 6px;font-size:12px;white-space:pre;display:none;max-width:60ch;overflow:hidden}
.key{display:inline-flex;align-items:center;gap:5px;font-size:13px}
.box{width:14px;height:14px;border:1px solid #777}
.bar{width:180px;height:12px;border:1px solid #777}
button{font:inherit;padding:1px 9px}input[type=range]{width:min(40vw,420px)}
"""

SCRIPT = """
'use strict';
const D = JSON.parse(document.getElementById('data').textContent);
const bytes = s => Uint8Array.from(atob(s), c => c.charCodeAt(0)).buffer;
const F = D.frames.map(f => {
  const o = {title: f.title, info: f.info, P: new Float64Array(bytes(f.points)),
    B: new Uint32Array(bytes(f.begin)), C: new Uint32Array(bytes(f.corners)),
    K: new Uint16Array(bytes(f.colours)), palette: f.palette, lines: [], marks: f.marks};
  const n = o.B.length - 1;
  o.X = new Float64Array(4 * n);
  for (let p = 0; p < n; p++) {
    let a = Infinity, b = Infinity, c = -Infinity, d = -Infinity;
    for (let k = o.B[p]; k < o.B[p + 1]; k++) {
      const x = o.P[2 * o.C[k]], y = o.P[2 * o.C[k] + 1];
      if (x < a) a = x; if (x > c) c = x; if (y < b) b = y; if (y > d) d = y;
    }
    o.X.set([a, b, c, d], 4 * p);
  }
  if (f.smooth) o.smooth = slopes(o, f);
  o.groups = o.palette.map(() => []);
  for (let p = 0; p < n; p++) o.groups[o.K[p]].push(p);
  for (const l of f.lines) {
    const S = new Float64Array(bytes(l.segments)), L = new Uint16Array(bytes(l.looks));
    const groups = l.styles.map(() => []);
    for (let k = 0; k < L.length; k++) groups[L[k]].push(k);
    o.lines.push({S, groups, styles: l.styles, halo: l.halo});
  }
  return o;
});
// Of each polygon the value at a corner, the gradient, and the least and greatest values.
function slopes(o, f) {
  const {P, B, C} = o, V = new Float64Array(bytes(f.smooth)), n = B.length - 1;
  const G = new Float64Array(5 * n);
  for (let p = 0; p < n; p++) {
    const a = C[B[p]], x = P[2 * a], y = P[2 * a + 1];
    let best = 0, low = V[a], high = V[a];
    for (let i = B[p] + 1; i < B[p + 1]; i++) {
      const b = C[i], c = C[i + 1 < B[p + 1] ? i + 1 : i];
      low = Math.min(low, V[b]); high = Math.max(high, V[b]);
      const bx = P[2 * b] - x, by = P[2 * b + 1] - y, cx = P[2 * c] - x, cy = P[2 * c + 1] - y;
      const cross = bx * cy - by * cx, u = V[b] - V[a], v = V[c] - V[a];
      if (Math.abs(cross) <= Math.abs(best)) continue;
      best = cross;
      G.set([V[a], (u * cy - v * by) / cross, (v * bx - u * cx) / cross], 5 * p);
    }
    if (!best) G[5 * p] = V[a];
    G[5 * p + 3] = low; G[5 * p + 4] = high;
  }
  return {G, ramp: f.ramp, low: f.low, high: f.high};
}
function colour(s, v) {
  const k = Math.round((v - s.low) / (s.high - s.low) * (s.ramp.length - 1));
  return s.ramp[Math.max(0, Math.min(s.ramp.length - 1, k))];
}
// The colour within a polygon, where it varies enough to be seen.
function shaded(g, f, p) {
  const s = f.smooth, [v, gx, gy, low, high] = s.G.subarray(5 * p, 5 * p + 5);
  const size = gx * gx + gy * gy, step = (s.high - s.low) / s.ramp.length, q = 4 * p;
  const wide = scale * Math.max(f.X[q + 2] - f.X[q], f.X[q + 3] - f.X[q + 1]);
  if (!size || high - low < step || wide < 4) return colour(s, (low + high) / 2);
  const c = 2 * f.C[f.B[p]], x = f.P[c], y = f.P[c + 1];
  const a = (low - v) / size, b = (high - v) / size;
  const out = g.createLinearGradient(ox + scale * (x + a * gx), oy - scale * (y + a * gy),
    ox + scale * (x + b * gx), oy - scale * (y + b * gy));
  const stops = Math.max(1, Math.min(8, Math.round((high - low) / step / 4)));
  for (let k = 0; k <= stops; k++)
    out.addColorStop(k / stops, colour(s, low + (high - low) * k / stops));
  return out;
}
const [x0, y0, x1, y1] = D.extent;
const canvas = document.querySelector('canvas'), tip = document.getElementById('tip');
const ctx = canvas.getContext('2d'), back = document.createElement('canvas');
let frame = 0, scale = 1, ox = 0, oy = 0, drawn = null, ratio = 1, timer = 0;
let slow = false, held = null;
function fit() {
  ratio = window.devicePixelRatio || 1;
  const w = canvas.clientWidth, h = canvas.clientHeight;
  canvas.width = back.width = Math.max(1, Math.round(w * ratio));
  canvas.height = back.height = Math.max(1, Math.round(h * ratio));
  scale = 0.96 * Math.min(canvas.width / (x1 - x0), canvas.height / (y1 - y0));
  ox = (canvas.width - scale * (x1 + x0)) / 2;
  oy = (canvas.height + scale * (y1 + y0)) / 2;
  redraw();
}
function redraw() {
  clearTimeout(timer);
  const began = performance.now();
  const g = back.getContext('2d'), f = F[frame], {P, B, C, X} = f;
  g.fillStyle = '#fff';
  g.fillRect(0, 0, back.width, back.height);
  const ax = -ox / scale, bx = (back.width - ox) / scale;
  const ay = (oy - back.height) / scale, by = oy / scale;
  g.lineJoin = 'round'; g.lineCap = 'round';
  f.groups.forEach((group, k) => {
    g.fillStyle = g.strokeStyle = f.palette[k];
    g.beginPath();
    let some = 0;
    for (const p of group) {
      const q = 4 * p;
      if (X[q] > bx || X[q + 2] < ax || X[q + 1] > by || X[q + 3] < ay) continue;
      let c = 2 * C[B[p]];
      g.moveTo(ox + scale * P[c], oy - scale * P[c + 1]);
      for (let i = B[p] + 1; i < B[p + 1]; i++) {
        c = 2 * C[i];
        g.lineTo(ox + scale * P[c], oy - scale * P[c + 1]);
      }
      g.closePath();
      if (f.smooth) {
        g.fillStyle = g.strokeStyle = shaded(g, f, p);
        g.lineWidth = 0.7; g.fill(); g.stroke(); g.beginPath();
        continue;
      }
      if (++some % 400 === 0) { g.fill(); g.beginPath(); }
    }
    g.fill();
    if (f.groups.length < 3000 && group.length < 4000) { g.lineWidth = 0.7; g.stroke(); }
  });
  // Widths are points of a picture in a column; a window is larger.
  const large = ratio * Math.max(1, Math.min(2, Math.min(back.width, back.height) / ratio / 400));
  const zoom = Math.max(1, Math.min(3, Math.sqrt(scale * (x1 - x0) / back.width)));
  for (const l of f.lines) {
    for (const halo of l.halo ? [true, false] : [false]) l.groups.forEach((group, k) => {
      const [colour, width] = l.styles[k];
      g.strokeStyle = halo ? '#fff' : colour;
      const wide = (halo ? width + 1.8 : width) * 1.33 * large;
      g.lineWidth = Math.max(0.3, l.halo ? wide : wide * zoom);
      g.beginPath();
      let some = 0;
      for (const s of group) {
        const a = l.S[4 * s], b = l.S[4 * s + 1], c = l.S[4 * s + 2], d = l.S[4 * s + 3];
        if ((a < ax && c < ax) || (a > bx && c > bx) || (b < ay && d < ay) || (b > by && d > by))
          continue;
        g.moveTo(ox + scale * a, oy - scale * b);
        g.lineTo(ox + scale * c, oy - scale * d);
        if (++some % 400 === 0) { g.stroke(); g.beginPath(); }
      }
      g.stroke();
    });
  }
  for (const [x, y, label] of f.marks) {
    g.beginPath();
    const px = ox + scale * x, py = oy - scale * y, r = 3 * ratio;
    if (label % 2) { g.moveTo(px, py - r); g.lineTo(px + r, py + r); g.lineTo(px - r, py + r); }
    else g.arc(px, py, r, 0, 7);
    g.closePath();
    g.fillStyle = label % 2 ? '#111' : '#fff'; g.strokeStyle = label % 2 ? '#fff' : '#111';
    g.lineWidth = ratio * 0.7; g.fill(); g.stroke();
  }
  drawn = {scale, ox, oy};
  show();
  slow = performance.now() - began > 60;
}
function show() {
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.fillStyle = '#fff';
  ctx.fillRect(0, 0, canvas.width, canvas.height);
  const q = scale / drawn.scale;
  ctx.drawImage(back, ox - q * drawn.ox, oy - q * drawn.oy, q * back.width, q * back.height);
}
// What takes long is drawn when the pointer is let go.
function later() {
  show();
  clearTimeout(timer);
  timer = setTimeout(() => { if (held && slow) later(); else redraw(); }, 90);
}
function at(e) {
  const r = canvas.getBoundingClientRect();
  return [(e.clientX - r.left) * ratio, (e.clientY - r.top) * ratio];
}
canvas.addEventListener('wheel', e => {
  e.preventDefault();
  const [x, y] = at(e), q = Math.exp(-e.deltaY * 0.0015);
  ox = x - q * (x - ox); oy = y - q * (y - oy); scale *= q;
  later();
}, {passive: false});
canvas.addEventListener('pointerdown', e => {
  held = at(e);
  canvas.setPointerCapture(e.pointerId);
});
canvas.addEventListener('pointerup', () => { held = null; });
canvas.addEventListener('pointermove', e => {
  const [x, y] = at(e);
  if (held) { ox += x - held[0]; oy += y - held[1]; held = [x, y]; later(); return; }
  const p = polygonAt((x - ox) / scale, (oy - y) / scale), f = F[frame];
  tip.style.display = p < 0 ? 'none' : 'block';
  if (p < 0) return;
  tip.textContent = f.info ? f.info[p] : 'polygon ' + p;
  tip.style.left = Math.min(x / ratio + 12, canvas.clientWidth - tip.offsetWidth - 4) + 'px';
  tip.style.top = Math.min(y / ratio + 12, canvas.clientHeight - tip.offsetHeight - 4) + 'px';
});
canvas.addEventListener('pointerleave', () => { tip.style.display = 'none'; });
canvas.addEventListener('dblclick', fit);
function polygonAt(x, y) {
  const {P, B, C, X} = F[frame];
  for (let p = 0; p + 1 < B.length; p++) {
    const q = 4 * p;
    if (x < X[q] || x > X[q + 2] || y < X[q + 1] || y > X[q + 3]) continue;
    let left = 0, right = 0;
    for (let i = B[p]; i < B[p + 1]; i++) {
      const c = 2 * C[i], d = 2 * C[i + 1 < B[p + 1] ? i + 1 : B[p]];
      const s = (P[d] - P[c]) * (y - P[c + 1]) - (P[d + 1] - P[c + 1]) * (x - P[c]);
      if (s > 0) left++; else if (s < 0) right++;
    }
    if (!left || !right) return p;
  }
  return -1;
}
const slider = document.getElementById('slider');
function choose(k) {
  frame = k;
  document.getElementById('title').textContent = F[k].title;
  redraw();
}
if (slider) {
  slider.addEventListener('input', () => choose(+slider.value));
  const play = document.getElementById('play');
  let clock = 0;
  play.addEventListener('click', () => {
    if (clock) { clearInterval(clock); clock = 0; play.textContent = 'Play'; return; }
    play.textContent = 'Stop';
    clock = setInterval(() => {
      slider.value = (+slider.value + 1) % F.length;
      choose(+slider.value);
    }, 200);
  });
}
window.addEventListener('resize', fit);
fit();
"""
