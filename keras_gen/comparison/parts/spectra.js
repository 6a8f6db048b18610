// The difference of two pictures, and the frequencies of one, as pictures.
const Spectra = (() => {
  const AMPLIFICATION = 4; // of differences
  const DECIBELS = 80; // range of spectra

  function difference(pixels, reference) {
    const output = new ImageData(pixels.width, pixels.height);
    for (let i = 0; i < output.data.length; i++) {
      const change = pixels.data[i] - reference.data[i];
      output.data[i] = i % 4 === 3 ? 255 : 128 + AMPLIFICATION * change; // clamped to 0 … 255
    }
    return output;
  }

  // Power of the brightness in decibels, under a Hann window, with frequency 0 in the middle.
  function power({ width, height, data }) {
    const window_ = (size) =>
      Float64Array.from({ length: size }, (_, i) => Math.sin((Math.PI * (i + 0.5)) / size) ** 2);
    const [across, down] = [window_(width), window_(height)];
    let [sum, total] = [0, 0];
    const grey = new Float64Array(width * height);
    for (let i = 0; i < grey.length; i++) {
      grey[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
      const weight = across[i % width] * down[Math.floor(i / width)];
      sum += weight * grey[i];
      total += weight;
    }
    const mean = sum / total;
    const real = grey.map((v, i) => (v - mean) * across[i % width] * down[Math.floor(i / width)]);
    const imaginary = new Float64Array(real.length);
    const line = (start, step, length) => {
      const [lineRe, lineIm] = [new Float64Array(length), new Float64Array(length)];
      for (let i = 0; i < length; i++) {
        lineRe[i] = real[start + i * step];
        lineIm[i] = imaginary[start + i * step];
      }
      const [re, im] = fourier(lineRe, lineIm);
      for (let i = 0; i < length; i++) {
        real[start + i * step] = re[i];
        imaginary[start + i * step] = im[i];
      }
    };
    for (let row = 0; row < height; row++) line(row * width, 1, width);
    for (let column = 0; column < width; column++) line(column, width, height);
    const rows = Array.from({ length: height }, () => -Infinity); // the maximum of each row
    const level = new Float64Array(real.length);
    for (let i = 0; i < level.length; i++) {
      const row = (Math.floor(i / width) + (height >> 1)) % height;
      const column = ((i % width) + (width >> 1)) % width;
      const db = 10 * Math.log10((real[i] ** 2 + imaginary[i] ** 2) / real.length + 1e-9);
      level[row * width + column] = db;
      rows[row] = Math.max(rows[row], db);
    }
    return { level, rows };
  }

  // The discrete Fourier transform of any length, by its smallest factor (Cooley and Tukey, 1965).
  function fourier(re, im) {
    const n = re.length;
    if (n === 1) return [re, im];
    const { factor, cos, sin } = rootsOfUnity(n);
    const part = n / factor;
    const [sumRe, sumIm] = [new Float64Array(n), new Float64Array(n)];
    for (let r = 0; r < factor; r++) {
      const [everyRe, everyIm] = [new Float64Array(part), new Float64Array(part)];
      for (let i = 0; i < part; i++) {
        everyRe[i] = re[i * factor + r];
        everyIm[i] = im[i * factor + r];
      }
      const [a, b] = fourier(everyRe, everyIm);
      for (let k = 0, i = 0, turn = 0; k < n; k++) {
        sumRe[k] += a[i] * cos[turn] + b[i] * sin[turn];
        sumIm[k] += b[i] * cos[turn] - a[i] * sin[turn];
        if (++i === part) i = 0;
        turn += r; // r · k, modulo n
        if (turn >= n) turn -= n;
      }
    }
    return [sumRe, sumIm];
  }

  const cache = new Map();
  function rootsOfUnity(n) {
    if (!cache.has(n)) {
      let factor = 2;
      while (n % factor && factor * factor <= n) factor++;
      if (n % factor) factor = n;
      const angle = (_, i) => (2 * Math.PI * i) / n;
      const angles = Float64Array.from({ length: n }, angle);
      cache.set(n, { factor, cos: angles.map(Math.cos), sin: angles.map(Math.sin) });
    }
    return cache.get(n);
  }

  // From black through purple and orange to pale yellow: brighter in every step, also for the
  // colour-blind.
  const COLOURS = [[0, 0, 4], [59, 15, 112], [140, 41, 129], [222, 73, 104], [254, 159, 109], [252, 253, 191]];
  function spectrum({ level }, peak, { width, height }) {
    const output = new ImageData(width, height);
    level.forEach((db, i) => {
      const shade = clamp(1 + (db - peak) / DECIBELS, 0, 1) * (COLOURS.length - 1);
      const low = Math.min(Math.floor(shade), COLOURS.length - 2);
      for (let c = 0; c < 3; c++) {
        const [from, to] = [COLOURS[low][c], COLOURS[low + 1][c]];
        output.data[4 * i + c] = from + (to - from) * (shade - low);
      }
      output.data[4 * i + 3] = 255;
    });
    return output;
  }

  // Circles around the frequencies of a pattern that repeats with the scale.
  function circles(context, { width, height }, period) {
    if (!Number.isInteger(period)) return;
    context.strokeStyle = "rgb(255 255 255 / 45%)";
    const radius = Math.max(3, Math.min(width, height) / 60);
    for (let i = 0; i < period; i++) {
      for (let j = 0; j < period; j++) {
        if (!i && !j) continue;
        const x = ((i / period) * width + (width >> 1)) % width;
        const y = ((j / period) * height + (height >> 1)) % height;
        context.beginPath();
        context.arc(x + 0.5, y + 0.5, radius, 0, 2 * Math.PI);
        context.stroke();
      }
    }
  }

  return { difference, power, spectrum, circles };
})();
