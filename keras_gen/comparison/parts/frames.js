// Frames: how each panel's picture is laid out. Positions are percentages of the frame, so that what
// is shown also prints.

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

// Two panels on top of each other, the upper one clipped at the divider.
function swipe(section) {
  const element = make("div", { className: "swipe", hidden: true, tabIndex: 0 });
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", "Two methods and a divider");
  const frame = make("div", { className: "frame" });
  const under = make("canvas", { className: "shown" });
  const clip = make("div", { className: "over" });
  const over = make("canvas", { className: "shown" });
  const divider = make("div", { className: "divider" });
  const names = ["left", "right"].map((side) => make("bdi", { className: `side ${side}` }));
  const slider = make("input", { type: "range", min: 0, max: 100, step: 0.5, value: 50 });
  slider.setAttribute("aria-label", "Divider");
  for (const canvas of [under, over]) canvas.setAttribute("role", "img");
  clip.append(over);
  frame.append(under, clip, divider, ...names);
  element.append(frame, slider);
  section.element.append(element);
  slider.addEventListener("input", () => {
    state.split = slider.value / 100;
    update();
  });
  return { element, frame, under, over, slider, names, ...lens(frame) };
}

const visible = () => sections.filter((section) => !section.element.hidden);
const panelsOf = (section) => section.panels.filter((panel) => !panel.figure.hidden);
const framesOf = (section) => (state.layout === "swipe" ? [section.swipe] : panelsOf(section));

// How large frames and pictures are, in CSS pixels.
function measure(section) {
  const swiping = state.layout === "swipe";
  const place = swiping ? section.element : panelsOf(section)[0]?.figure;
  if (!place) return;
  const room = place.clientWidth;
  const tallest = swiping ? Math.max(360, window.innerHeight * 1.2) : room * 1.35;
  let fit = Math.min(room / section.width, tallest / section.height);
  // All pixels equally large; on a phone's fine screen, filling the width matters more.
  const exact = fit * density() >= (density() < 2 ? 1 : 3);
  if (exact) fit = Math.floor(fit * density() + 1e-6) / density();
  section.fit = fit;
  section.frameWidth = Math.max(section.width * fit, Math.min(room, 96));
  section.frameHeight = Math.max(section.height * fit, 48);
}

const scaleOf = (section) => Math.max(state.level / density(), section.fit);

// The place in the middle of the frame, moved so that as little of the frame as possible stays empty.
function middle(wanted, size, room) {
  const half = room / (2 * size);
  return half >= 0.5 ? 0.5 : clamp(wanted, half, 1 - half);
}

function position(section) {
  const scale = scaleOf(section);
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
  const level = scale * density();
  const smooth = level < 0.999 || (level < 3 && Math.abs(level - Math.round(level)) > 0.01);
  section.element.classList.toggle("smooth", smooth);
  section.element.classList.toggle("zoomed", scale > section.fit * 1.001);
}
