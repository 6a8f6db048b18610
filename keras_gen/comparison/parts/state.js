// The state that every panel follows, and helpers. The files of the script share one scope; `page.py`
// lists them in order.

const root = document.documentElement;
const one = (selector, inside = document) => inside.querySelector(selector);
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const make = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);
const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
const percent = (part, whole) => `${(100 * part) / whole}%`;
const density = () => window.devicePixelRatio || 1; // screen pixels for one CSS pixel

const LEVELS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]; // screen pixels for one picture pixel
const LENS = 0.5; // side of the lens, as a fraction of the frame's shorter side

const hasReference = root.dataset.reference === "yes";
const period = Number(root.dataset.period);
const tools = one("#tools");
const sections = all(".picture").map(prepare);
const titles = all("h3 bdi", sections[0].element).map((title) => title.textContent);

const state = {
  picture: 0, // or "all"
  view: "picture",
  layout: "grid",
  level: 0, // screen pixels for one picture pixel; 0 shows the whole picture
  x: 0.5, // what is in the middle of every frame, as a fraction of the picture
  y: 0.5,
  lens: false,
  at: { x: 0.5, y: 0.5 }, // where the lens looks
  hidden: new Set(),
  left: Math.min(1, titles.length - 1),
  right: titles.length - 1,
  split: 0.5,
};
const places = {}; // the zoom of pictures and that of spectra, each kept while the other shows
