// Show the state: which panels are visible, what each displays, the divider and the lens.

let waiting = 0;

// Show the state in the next frame, once for all changes before it.
function update() {
  waiting ||= requestAnimationFrame(() => {
    waiting = 0;
    show();
  });
}

function show() {
  root.dataset.view = state.view;
  root.dataset.layout = state.layout;
  root.toggleAttribute("data-lens", state.lens);
  sections.forEach((section, number) => {
    section.element.hidden = state.picture !== "all" && state.picture !== number;
  });
  for (const section of visible()) {
    const swiping = state.layout === "swipe";
    one(".panels", section.element).hidden = swiping;
    section.swipe.element.hidden = !swiping;
    section.panels.forEach((panel, place) => {
      panel.figure.hidden = state.hidden.has(place);
    });
    measure(section);
    position(section);
    for (const place of swiping ? [state.left, state.right] : section.panels.keys()) {
      if (swiping || !state.hidden.has(place)) display(section, place);
    }
    if (swiping) showSwipe(section);
    for (const panel of framesOf(section)) showLens(section, panel);
  }
  const [first] = visible();
  const level = Math.round(scaleOf(first) * density() * 100) / 100;
  const whole = !state.level || level <= first.fit * density() * 1.001;
  const size = level < 1 ? `${Math.round(level * 100)} %` : `${level.toFixed(level % 1 ? 1 : 0)}×`;
  one("#level").textContent = size;
  one("#level").title = "screen pixels for one pixel of the picture";
  one("#out").disabled = whole;
  one("#in").disabled = level >= LEVELS.at(-1);
  one("#whole").disabled = whole;
  one("#lens").setAttribute("aria-pressed", state.lens);
  const count = titles.length - state.hidden.size;
  one("#chosen").textContent = state.hidden.size ? `${count} of ${titles.length} panels` : `${count} panels`;
  all(".table").forEach((table) => {
    const wanted = String(sections.length > 1 ? state.picture : 0);
    table.hidden = table.dataset.picture !== wanted;
  });
  tools.elements.left.value = state.left;
  tools.elements.right.value = state.right;
  for (const name of ["picture", "view", "layout"]) {
    const radio = one(`[name="${name}"][value="${state[name]}"]`, tools);
    if (radio) radio.checked = true;
  }
}

// Put what the view shows into a panel's frame; differences and spectra are computed when needed.
function display(section, place) {
  const panel = section.panels[place];
  const kind = state.view === "difference" && (place === 0 || !hasReference) ? "picture" : state.view;
  const shown = panel.views[kind];
  if (shown === undefined) {
    panel.views[kind] = null; // requested
    later(() => derive(section, place, kind));
  }
  if (!shown) return;
  if (panel.shown === shown) return;
  panel.shown.classList.remove("shown");
  shown.classList.add("shown");
  if (!shown.isConnected) panel.frame.prepend(shown);
  panel.shown = shown;
}

function showSwipe(section) {
  const { under, over, slider, names } = section.swipe;
  const sides = [state.left, state.right];
  sides.forEach((place, side) => {
    const canvas = side ? under : over;
    const panel = section.panels[place];
    canvas.setAttribute("aria-label", panel.picture.alt);
    names[side].textContent = titles[place];
    if (canvas.source === panel.shown && panel.shown.complete !== false) return;
    copy(panel.shown, canvas);
    canvas.source = panel.picture.complete ? panel.shown : null;
  });
  slider.value = 100 * state.split;
  slider.setAttribute(
    "aria-valuetext",
    `${Math.round(100 * state.split)} % ${titles[state.left]}, then ${titles[state.right]}`
  );
}

function copy(source, canvas) {
  canvas.width = source.naturalWidth || source.width;
  canvas.height = source.naturalHeight || source.height;
  canvas.getContext("2d").drawImage(source, 0, 0);
}

function showLens(section, panel) {
  const { frame, inset, marker } = panel;
  inset.hidden = marker.hidden = !state.lens;
  if (!state.lens) return;
  const side = Math.round(Math.min(frame.clientWidth, frame.clientHeight) * LENS * density());
  const times = Math.max(Math.round(4 * density()), Math.round(2 * section.scale * density()));
  const extent = side / times; // picture pixels
  const [x, y] = [state.at.x * section.width - extent / 2, state.at.y * section.height - extent / 2];
  inset.width = inset.height = side;
  inset.style.width = `${(100 * side) / density() / frame.clientWidth}%`;
  const context = inset.getContext("2d");
  context.imageSmoothingEnabled = false;
  const paint = (source) => context.drawImage(source, -x * times, -y * times,
    section.width * times, section.height * times);
  if (panel.over) {
    paint(panel.under);
    const edge = (state.split * section.frameWidth - section.left) / section.scale;
    context.beginPath();
    context.rect(0, 0, (edge - x) * times, side);
    context.clip();
    paint(panel.over);
  } else {
    paint(panel.shown);
  }
  marker.style.left = percent(section.left + x * section.scale, section.frameWidth);
  marker.style.top = percent(section.top + y * section.scale, section.frameHeight);
  marker.style.width = percent(extent * section.scale, section.frameWidth);
  marker.style.height = percent(extent * section.scale, section.frameHeight);
  const right = section.left + state.at.x * section.width * section.scale < section.frameWidth / 2;
  inset.classList.toggle("to-right", right);
  inset.classList.toggle("to-left", !right);
}
