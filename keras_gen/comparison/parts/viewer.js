// One state, which every panel follows. Pictures are positioned by percentages of their frame, so
// that what is shown also prints.
(() => {
  const root = document.documentElement;
  const one = (selector, inside = document) => inside.querySelector(selector);
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);
  const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

  const LEVELS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]; // screen pixels for one picture pixel
  const LENS = 0.5; // of the frame's shorter side

  const hasTruth = root.dataset.reference === "yes";
  const period = Number(root.dataset.period);
  const tools = one("#tools");
  const sections = all(".picture").map(prepare);
  const titles = all("h3 bdi", sections[0].element).map((title) => title.textContent);

  const state = {
    picture: 0, // or "all"
    view: "picture",
    layout: "grid",
    level: 0, // screen pixels for one picture pixel; 0 shows the whole picture
    x: 0.5, // what is in the middle of every frame, as a share of the picture
    y: 0.5,
    lens: false,
    at: { x: 0.5, y: 0.5 }, // where the lens looks
    hidden: new Set(),
    left: Math.min(1, titles.length - 1),
    right: titles.length - 1,
    split: 0.5,
  };
  const places = {}; // the zoom of pictures and that of spectra, each kept while the other shows

  // Frames -------------------------------------------------------------------------------------

  function prepare(element) {
    const panels = all(".panel", element).map((figure) => {
      const frame = one(".frame", figure);
      const picture = one("img", frame);
      picture.classList.add("shown");
      return { figure, frame, picture, views: { picture }, shown: picture, ...lens(frame) };
    });
    const [picture] = all("img", element);
    const [width, height] = ["width", "height"].map((side) => +picture.getAttribute(side));
    const section = { element, panels, width, height };
    one(".panels", element).tabIndex = 0;
    section.swipe = swipe(section);
    return section;
  }

  function lens(frame) {
    const inset = make("canvas", { className: "inset", hidden: true });
    const marker = make("div", { className: "marker", hidden: true });
    inset.setAttribute("aria-hidden", "true");
    frame.append(marker, inset);
    return { inset, marker };
  }

  // Two panels on top of each other, the upper one cut at the divider.
  function swipe(section) {
    const element = make("div", { className: "swipe", hidden: true, tabIndex: 0 });
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", "Two methods and a divider");
    const frame = make("div", { className: "frame" });
    const under = make("canvas", { className: "shown" });
    const cut = make("div", { className: "over" });
    const over = make("canvas", { className: "shown" });
    const divider = make("div", { className: "divider" });
    const names = ["left", "right"].map((side) => make("bdi", { className: `side ${side}` }));
    const slider = make("input", { type: "range", min: 0, max: 100, step: 0.5, value: 50 });
    slider.setAttribute("aria-label", "Divider");
    for (const canvas of [under, over]) canvas.setAttribute("role", "img");
    cut.append(over);
    frame.append(under, cut, divider, ...names);
    element.append(frame, slider);
    section.element.append(element);
    slider.addEventListener("input", () => {
      state.split = slider.value / 100;
      draw();
    });
    return { element, frame, under, over, slider, names, ...lens(frame) };
  }

  const visible = () => sections.filter((section) => !section.element.hidden);
  const panelsOf = (section) => section.panels.filter((panel) => !panel.figure.hidden);
  const framesOf = (section) => (state.layout === "swipe" ? [section.swipe] : panelsOf(section));

  // How large frames and pictures are, in CSS pixels.
  function measure(section) {
    const density = window.devicePixelRatio || 1;
    const swiping = state.layout === "swipe";
    const place = swiping ? section.element : panelsOf(section)[0]?.figure;
    if (!place) return;
    const room = place.clientWidth;
    const tallest = swiping ? Math.max(360, window.innerHeight * 1.2) : room * 1.35;
    let fit = Math.min(room / section.width, tallest / section.height);
    // Pixels of one size; on a telephone's fine screen, rather a picture that fills the width.
    const exact = fit * density >= (density < 2 ? 1 : 3);
    if (exact) fit = Math.floor(fit * density + 1e-6) / density;
    section.fit = fit;
    section.frameWidth = Math.max(section.width * fit, Math.min(room, 96));
    section.frameHeight = Math.max(section.height * fit, 48);
  }

  const scaleOf = (section) =>
    Math.max(state.level / (window.devicePixelRatio || 1), section.fit);

  // The middle of the frame, so that no frame shows more emptiness than it must.
  function middle(wanted, size, room) {
    const half = room / (2 * size);
    return half >= 0.5 ? 0.5 : clamp(wanted, half, 1 - half);
  }

  function position(section) {
    const scale = scaleOf(section);
    const percent = (part, whole) => `${(100 * part) / whole}%`;
    const style = section.element.style;
    const [width, height] = [section.width * scale, section.height * scale];
    section.left =
      section.frameWidth / 2 - middle(state.x, width, section.frameWidth) * width;
    section.top =
      section.frameHeight / 2 - middle(state.y, height, section.frameHeight) * height;
    section.scale = scale;
    style.setProperty("--frame-width", `${section.frameWidth}px`);
    style.setProperty("--frame-shape", `${section.frameWidth} / ${section.frameHeight}`);
    style.setProperty("--width", percent(width, section.frameWidth));
    style.setProperty("--height", percent(height, section.frameHeight));
    style.setProperty("--left", percent(section.left, section.frameWidth));
    style.setProperty("--top", percent(section.top, section.frameHeight));
    style.setProperty("--split", percent(state.split, 1));
    const level = scale * (window.devicePixelRatio || 1);
    const smooth = level < 0.999 || (level < 3 && Math.abs(level - Math.round(level)) > 0.01);
    section.element.classList.toggle("smooth", smooth);
    section.element.classList.toggle("zoomed", scale > section.fit * 1.001);
  }

  // Drawing ------------------------------------------------------------------------------------

  let waiting = 0;
  function draw() {
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
    const level = Math.round(scaleOf(first) * (window.devicePixelRatio || 1) * 100) / 100;
    const whole = !state.level || level <= first.fit * (window.devicePixelRatio || 1) * 1.001;
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

  // Put what the view shows into a panel's frame; differences and spectra are made when needed.
  function display(section, place) {
    const panel = section.panels[place];
    const kind = state.view === "difference" && (place === 0 || !hasTruth) ? "picture" : state.view;
    const shown = panel.views[kind];
    if (shown === undefined) {
      panel.views[kind] = null; // asked for
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
    const density = window.devicePixelRatio || 1;
    const side = Math.round(Math.min(frame.clientWidth, frame.clientHeight) * LENS * density);
    const times = Math.max(Math.round(4 * density), Math.round(2 * section.scale * density));
    const seen = side / times; // picture pixels
    const [x, y] = [state.at.x * section.width - seen / 2, state.at.y * section.height - seen / 2];
    inset.width = inset.height = side;
    inset.style.width = `${(100 * side) / density / frame.clientWidth}%`;
    const context = inset.getContext("2d");
    context.imageSmoothingEnabled = false;
    const paint = (source) => context.drawImage(source, -x * times, -y * times,
      section.width * times, section.height * times);
    if (panel.over) {
      paint(panel.under);
      const cut = (state.split * section.frameWidth - section.left) / section.scale;
      context.beginPath();
      context.rect(0, 0, (cut - x) * times, side);
      context.clip();
      paint(panel.over);
    } else {
      paint(panel.shown);
    }
    const percent = (part, whole) => `${(100 * part) / whole}%`;
    marker.style.left = percent(section.left + x * section.scale, section.frameWidth);
    marker.style.top = percent(section.top + y * section.scale, section.frameHeight);
    marker.style.width = percent(seen * section.scale, section.frameWidth);
    marker.style.height = percent(seen * section.scale, section.frameHeight);
    const right = section.left + state.at.x * section.width * section.scale < section.frameWidth / 2;
    inset.classList.toggle("to-right", right);
    inset.classList.toggle("to-left", !right);
  }

  // Differences and spectra --------------------------------------------------------------------

  const queue = [];
  function later(task) {
    queue.push(task);
    if (queue.length === 1) setTimeout(work);
  }

  async function work() {
    while (queue.length) {
      await queue[0]();
      queue.shift();
      await new Promise((resolve) => setTimeout(resolve)); // let the page answer in between
    }
    draw();
  }

  async function derive(section, place, kind) {
    const panel = section.panels[place];
    const pixels = await read(panel.picture);
    let drawn;
    if (kind === "difference") {
      drawn = Spectra.difference(pixels, await read(section.panels[0].picture));
    } else {
      const loudest = section.panels[0];
      loudest.power ??= Spectra.power(await read(loudest.picture));
      panel.power ??= Spectra.power(pixels);
      drawn = Spectra.spectrum(panel.power, Math.max(...loudest.power.rows), pixels);
    }
    const canvas = make("canvas", { width: pixels.width, height: pixels.height });
    const context = canvas.getContext("2d");
    context.putImageData(drawn, 0, 0);
    if (kind === "spectrum") Spectra.circles(context, pixels, period);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${kind} of: ${panel.picture.alt}`);
    panel.views[kind] = canvas;
    draw();
  }

  async function read(picture) {
    picture.loading = "eager";
    await picture.decode();
    const canvas = make("canvas", { width: picture.naturalWidth, height: picture.naturalHeight });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  }

  // Acting -------------------------------------------------------------------------------------

  function zoom(steps, anchor) {
    const [section] = visible();
    const density = window.devicePixelRatio || 1;
    const now = scaleOf(section) * density;
    const levels = LEVELS.filter((level) => level > section.fit * density * 1.001);
    const larger = levels.findIndex((level) => level > now * 1.001);
    const place = larger < 0 ? levels.length : larger; // how many levels are at most this one
    const at = levels.some((level) => Math.abs(level - now) < 1e-3 * now) ? place - 1 : place - 0.5;
    const next = steps > 0 ? Math.floor(at + steps) : Math.ceil(at + steps);
    zoomTo(next < 0 ? 0 : levels[Math.min(next, levels.length - 1)] ?? 0, anchor);
  }

  // Keep what is under the anchor where it is; the anchor is a place in a frame of a section.
  function zoomTo(level, anchor) {
    const section = anchor?.section ?? visible()[0];
    const { frameWidth, frameHeight } = section;
    const { px, py } = anchor ?? { px: frameWidth / 2, py: frameHeight / 2 };
    const seen = {
      x: (px - section.left) / (section.width * section.scale),
      y: (py - section.top) / (section.height * section.scale),
    };
    state.level = level;
    const scale = scaleOf(section);
    state.x = seen.x + (frameWidth / 2 - px) / (section.width * scale);
    state.y = seen.y + (frameHeight / 2 - py) / (section.height * scale);
    keepInside(section);
    draw();
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
    draw();
  }

  function setView(view) {
    if (view === "difference" && !hasTruth) return;
    const kind = (name) => (name === "spectrum" ? "spectrum" : "picture");
    if (kind(view) !== kind(state.view)) {
      places[kind(state.view)] = { level: state.level, x: state.x, y: state.y };
      Object.assign(state, places[kind(view)] ?? { level: 0, x: 0.5, y: 0.5 });
    }
    state.view = view;
    draw();
  }

  function setLens(on) {
    state.lens = on;
    if (on) state.at = { x: state.x, y: state.y };
    draw();
  }

  function step(by) {
    if (state.picture === "all") state.picture = by > 0 ? 0 : sections.length - 1;
    else state.picture = (state.picture + by + sections.length) % sections.length;
    draw();
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
      else target.checked = true; // one stays
    }
    if (target.id === "left" || target.id === "right") state[target.id] = +target.value;
    draw();
  });
  one("#in").addEventListener("click", () => zoom(1));
  one("#out").addEventListener("click", () => zoom(-1));
  one("#whole").addEventListener("click", () => zoomTo(0));
  one("#lens").addEventListener("click", () => setLens(!state.lens));
  one("#swap").addEventListener("click", () => {
    [state.left, state.right] = [state.right, state.left];
    draw();
  });
  one("#theme").addEventListener("click", setTheme);
  document.addEventListener("pointerdown", ({ target }) => {
    const menu = one(".menu");
    if (menu.open && !menu.contains(target)) menu.open = false;
  });

  // Pointers: one moves the picture, the lens or the divider; two zoom.
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
    draw();
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
      draw();
    } else if (what === "lens") {
      look(section, within(frame, event));
    } else {
      move(section, event.clientX - before.x, event.clientY - before.y);
      if (state.lens) look(section, within(frame, event));
    }
  });

  function pinch(section, frame) {
    const [a, b] = [...pointers.values()];
    const apart = Math.hypot(a.x - b.x, a.y - b.y);
    const centre = within(frame, { clientX: (a.x + b.x) / 2, clientY: (a.y + b.y) / 2 });
    const density = window.devicePixelRatio || 1;
    if (dragging.pinch) {
      const { apart: was, centre: old } = dragging.pinch;
      move(section, centre.px - old.px, centre.py - old.py);
      const level = clamp((section.scale * density * apart) / was, 0, LEVELS.at(-1));
      zoomTo(level > section.fit * density ? level : 0, { section, ...centre });
      show(); // the next move reckons with this one
    }
    dragging.pinch = { apart, centre };
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

  // Keys
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const KEYS = {
    "+": () => zoom(1), "=": () => zoom(1), "-": () => zoom(-1), "0": () => zoomTo(0),
    l: () => setLens(!state.lens), n: () => step(1), p: () => step(-1),
    i: () => setView("picture"), d: () => setView("difference"), f: () => setView("spectrum"),
    g: () => { state.layout = "grid"; draw(); }, s: () => { state.layout = "swipe"; draw(); },
    "[": () => { state.split = Math.max(0, state.split - 0.05); draw(); },
    "]": () => { state.split = Math.min(1, state.split + 0.05); draw(); },
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
        draw();
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

  // What a key has changed, for those who do not see it.
  function announce() {
    setTimeout(() => {
      one("#status").textContent =
        `${state.view}, ${state.layout === "grid" ? "side by side" : "swipe"}, ` +
        `zoom ${one("#level").textContent}${state.lens ? ", lens on" : ""}`;
    }, 50);
  }

  // Tables: rows in the order of a column, the reference always first, what has no number always last.
  function sort(button) {
    const head = button.closest("th");
    const column = [...head.parentElement.children].indexOf(head);
    const first = head.dataset.first;
    const other = { ascending: "descending", descending: "ascending" };
    const now = head.getAttribute("aria-sort");
    const order = now === first ? other[first] : first;
    const sign = order === "ascending" ? 1 : -1;
    for (const table of all(".table table")) {
      all("th", table.tHead).forEach((th, place) => {
        if (place === column) th.setAttribute("aria-sort", order);
        else th.removeAttribute("aria-sort");
      });
      const value = (row) => {
        const cell = row.cells[column];
        if (!column) return +row.dataset.place;
        if (cell.dataset.value === undefined) return null;
        return cell.dataset.value === "inf" ? Infinity : +cell.dataset.value;
      };
      const compare = (a, b) => {
        const [x, y] = [value(a), value(b)];
        if (x === null || y === null) return (x === null) - (y === null);
        return x === y ? a.dataset.place - b.dataset.place : sign * (x < y ? -1 : 1);
      };
      const [body] = table.tBodies;
      const rows = [...body.rows].filter((row) => !row.matches(".reference")).sort(compare);
      body.append(...rows);
    }
  }
  all("thead button").forEach((button) => button.addEventListener("click", () => sort(button)));

  // Beginning ----------------------------------------------------------------------------------

  root.classList.add("scripted");
  const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  one("#theme").setAttribute("aria-pressed", dark);
  for (const select of [tools.elements.left, tools.elements.right]) {
    select.append(...titles.map((title, value) => new Option(title, value)));
  }
  if (!hasTruth) {
    const radio = one('[value="difference"]', tools);
    radio.disabled = true;
    radio.parentElement.title = "Needs the reference, which these pictures do not have";
  }
  one(".pictures").hidden = sections.length < 2;
  sections.forEach(({ panels: [{ picture }] }, number) => {
    const thumbnail = all(".thumbnail")[number];
    const paint = () => {
      const shrink = 72 / picture.naturalHeight;
      thumbnail.height = 72;
      thumbnail.width = Math.min(200, Math.max(24, Math.round(picture.naturalWidth * shrink)));
      thumbnail.getContext("2d").drawImage(picture, 0, 0, picture.naturalWidth * shrink, 72);
    };
    picture.decode().then(paint);
  });
  new ResizeObserver(draw).observe(document.body);
  window.addEventListener("resize", draw);
  draw();
})();
