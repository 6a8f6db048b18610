// The keyboard.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const KEYS = {
  "+": () => zoom(1), "=": () => zoom(1), "-": () => zoom(-1), "0": () => zoomTo(0),
  l: () => setLens(!state.lens), n: () => step(1), p: () => step(-1),
  i: () => setView("picture"), d: () => setView("difference"), f: () => setView("spectrum"),
  g: () => { state.layout = "grid"; update(); }, s: () => { state.layout = "swipe"; update(); },
  "[": () => { state.split = Math.max(0, state.split - 0.05); update(); },
  "]": () => { state.split = Math.min(1, state.split + 0.05); update(); },
  t: setTheme,
  "?": () => { one("#help").open = true; one("#help summary").focus(); },
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("select")) return;
  const stage = event.target.closest?.(".panels, .swipe");
  if (ARROWS[event.key] && stage === event.target) {
    const section = sections.find(({ element }) => element.contains(stage));
    const [x, y] = ARROWS[event.key];
    if (state.lens) {
      const far = event.shiftKey ? 10 : 1;
      state.at = {
        x: clamp(state.at.x + (x * far) / section.width, 0, 1),
        y: clamp(state.at.y + (y * far) / section.height, 0, 1),
      };
      update();
    } else {
      const far = event.shiftKey ? 1 : 0.1;
      move(section, -x * far * section.frameWidth, -y * far * section.frameHeight);
    }
    event.preventDefault();
    return;
  }
  if (event.key === "Escape") {
    one(".menu").open = false;
    if (state.lens) setLens(false);
    return;
  }
  const act = KEYS[event.key.toLowerCase()];
  if (act && one("#keys").checked) {
    act();
    event.preventDefault();
    announce();
  }
});

// Tell screen readers what a key has changed.
function announce() {
  setTimeout(() => {
    one("#status").textContent =
      `${state.view}, ${state.layout === "grid" ? "side by side" : "swipe"}, ` +
      `zoom ${one("#level").textContent}${state.lens ? ", lens on" : ""}`;
  }, 50);
}
