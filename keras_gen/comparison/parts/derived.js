// Differences and spectra, computed in the background when they are first shown.

const queue = [];
function later(task) {
  queue.push(task);
  if (queue.length === 1) setTimeout(work);
}

async function work() {
  while (queue.length) {
    await queue[0]();
    queue.shift();
    await new Promise((resolve) => setTimeout(resolve)); // let the page respond in between
  }
  update();
}

async function derive(section, place, kind) {
  const panel = section.panels[place];
  const pixels = await read(panel.picture);
  let output;
  if (kind === "difference") {
    output = Spectra.difference(pixels, await read(section.panels[0].picture));
  } else {
    const first = section.panels[0];
    first.power ??= Spectra.power(await read(first.picture));
    panel.power ??= Spectra.power(pixels);
    output = Spectra.spectrum(panel.power, Math.max(...first.power.rows), pixels);
  }
  const canvas = make("canvas", { width: pixels.width, height: pixels.height });
  const context = canvas.getContext("2d");
  context.putImageData(output, 0, 0);
  if (kind === "spectrum") Spectra.circles(context, pixels, period);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${kind} of: ${panel.picture.alt}`);
  panel.views[kind] = canvas;
  update();
}

async function read(picture) {
  picture.loading = "eager";
  await picture.decode();
  const canvas = make("canvas", { width: picture.naturalWidth, height: picture.naturalHeight });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
