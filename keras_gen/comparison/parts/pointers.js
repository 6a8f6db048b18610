// Mouse and touch: one pointer moves the picture, the lens or the divider; two zoom.

const pointers = new Map();
let dragging = null;

function place(event) {
  const frame = event.target.closest?.(".frame");
  const section = frame && sections.find((one_) => one_.element.contains(frame));
  return section && { section, frame, ...within(frame, event) };
}

function within(frame, { clientX, clientY }) {
  const { left, top } = frame.getBoundingClientRect();
  return { px: clientX - left, py: clientY - top };
}

function look(section, { px, py }) {
  state.at = {
    x: clamp((px - section.left) / (section.width * section.scale), 0, 1),
    y: clamp((py - section.top) / (section.height * section.scale), 0, 1),
  };
  update();
}

const area = one("#pictures");
area.addEventListener("pointerdown", (event) => {
  const at = place(event);
  if (!at || event.button > 0) return;
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  at.frame.setPointerCapture(event.pointerId);
  const what = event.target.matches(".divider") ? "divider"
    : state.lens && event.pointerType === "touch" ? "lens" : "picture";
  dragging = { ...at, what, pinch: null };
  if (what === "lens") look(at.section, at);
  if (what === "picture") at.frame.classList.add("moving");
});
area.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) {
    const at = state.lens && event.pointerType === "mouse" && place(event);
    if (at) look(at.section, at);
    return;
  }
  const { section, frame, what } = dragging;
  pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (pointers.size === 2) {
    pinch(section, frame);
  } else if (what === "divider") {
    state.split = clamp(within(frame, event).px / frame.clientWidth, 0, 1);
    update();
  } else if (what === "lens") {
    look(section, within(frame, event));
  } else {
    move(section, event.clientX - before.x, event.clientY - before.y);
    if (state.lens) look(section, within(frame, event));
  }
});

function pinch(section, frame) {
  const [a, b] = [...pointers.values()];
  const distance = Math.hypot(a.x - b.x, a.y - b.y);
  const centre = within(frame, { clientX: (a.x + b.x) / 2, clientY: (a.y + b.y) / 2 });
  if (dragging.pinch) {
    const { distance: before, centre: old } = dragging.pinch;
    move(section, centre.px - old.px, centre.py - old.py);
    const level = clamp((section.scale * density() * distance) / before, 0, LEVELS.at(-1));
    zoomTo(level > section.fit * density() ? level : 0, { section, ...centre });
    show(); // the next move starts from this one
  }
  dragging.pinch = { distance, centre };
}

function release(event) {
  if (!pointers.delete(event.pointerId)) return;
  if (dragging.pinch && state.level) {
    // Back to a whole number of screen pixels for each pixel of the picture.
    const nearer = (best, level) =>
      Math.abs(level - state.level) < Math.abs(best - state.level) ? level : best;
    zoomTo(LEVELS.reduce(nearer), { section: dragging.section, ...dragging.pinch.centre });
  }
  dragging.pinch = null;
  if (!pointers.size) dragging.frame.classList.remove("moving");
}
area.addEventListener("pointerup", release);
area.addEventListener("pointercancel", release);
area.addEventListener("dblclick", (event) => {
  const at = place(event);
  if (at && !event.target.matches(".divider")) zoom(event.shiftKey ? -1 : 1, at);
});
let turned = 0; // by the wheel, since the last step
area.addEventListener("wheel", (event) => {
  const at = (event.ctrlKey || event.metaKey) && place(event);
  if (!at) return;
  event.preventDefault();
  turned += event.deltaY;
  if (Math.abs(turned) < 30) return;
  zoom(turned < 0 ? 1 : -1, at);
  turned = 0;
}, { passive: false });
