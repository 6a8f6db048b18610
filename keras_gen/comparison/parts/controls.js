// Functions that change the state, and the controls that call them.

function zoom(steps, anchor) {
  const [section] = visible();
  const now = scaleOf(section) * density();
  const levels = LEVELS.filter((level) => level > section.fit * density() * 1.001);
  const larger = levels.findIndex((level) => level > now * 1.001);
  const place = larger < 0 ? levels.length : larger; // how many levels are at most this one
  const at = levels.some((level) => Math.abs(level - now) < 1e-3 * now) ? place - 1 : place - 0.5;
  const next = steps > 0 ? Math.floor(at + steps) : Math.ceil(at + steps);
  zoomTo(next < 0 ? 0 : levels[Math.min(next, levels.length - 1)] ?? 0, anchor);
}

// Zoom so that the anchor, a place in a frame of a section, keeps showing the same pixel.
function zoomTo(level, anchor) {
  const section = anchor?.section ?? visible()[0];
  const { frameWidth, frameHeight } = section;
  const { px, py } = anchor ?? { px: frameWidth / 2, py: frameHeight / 2 };
  const anchored = {
    x: (px - section.left) / (section.width * section.scale),
    y: (py - section.top) / (section.height * section.scale),
  };
  state.level = level;
  const scale = scaleOf(section);
  state.x = anchored.x + (frameWidth / 2 - px) / (section.width * scale);
  state.y = anchored.y + (frameHeight / 2 - py) / (section.height * scale);
  keepInside(section);
  update();
}

function keepInside(section) {
  const scale = scaleOf(section);
  state.x = middle(state.x, section.width * scale, section.frameWidth);
  state.y = middle(state.y, section.height * scale, section.frameHeight);
}

function move(section, dx, dy) {
  state.x -= dx / (section.width * section.scale);
  state.y -= dy / (section.height * section.scale);
  keepInside(section);
  update();
}

function setView(view) {
  if (view === "difference" && !hasReference) return;
  const kind = (name) => (name === "spectrum" ? "spectrum" : "picture");
  if (kind(view) !== kind(state.view)) {
    places[kind(state.view)] = { level: state.level, x: state.x, y: state.y };
    Object.assign(state, places[kind(view)] ?? { level: 0, x: 0.5, y: 0.5 });
  }
  state.view = view;
  update();
}

function setLens(on) {
  state.lens = on;
  if (on) state.at = { x: state.x, y: state.y };
  update();
}

function step(by) {
  if (state.picture === "all") state.picture = by > 0 ? 0 : sections.length - 1;
  else state.picture = (state.picture + by + sections.length) % sections.length;
  update();
}

function setTheme() {
  const dark = one("#theme").getAttribute("aria-pressed") !== "true";
  root.dataset.theme = dark ? "dark" : "light";
  one("#theme").setAttribute("aria-pressed", dark);
}

tools.addEventListener("submit", (event) => event.preventDefault());
tools.addEventListener("change", ({ target }) => {
  if (target.name === "picture") state.picture = target.value === "all" ? "all" : +target.value;
  if (target.name === "layout") state.layout = target.value;
  if (target.name === "view") setView(target.value);
  if (target.name === "panel") {
    if (target.checked) state.hidden.delete(+target.value);
    else if (state.hidden.size < titles.length - 1) state.hidden.add(+target.value);
    else target.checked = true; // at least one panel stays
  }
  if (target.id === "left" || target.id === "right") state[target.id] = +target.value;
  update();
});
one("#in").addEventListener("click", () => zoom(1));
one("#out").addEventListener("click", () => zoom(-1));
one("#whole").addEventListener("click", () => zoomTo(0));
one("#lens").addEventListener("click", () => setLens(!state.lens));
one("#swap").addEventListener("click", () => {
  [state.left, state.right] = [state.right, state.left];
  update();
});
one("#theme").addEventListener("click", setTheme);
document.addEventListener("pointerdown", ({ target }) => {
  const menu = one(".menu");
  if (menu.open && !menu.contains(target)) menu.open = false;
});
