// Prepare the page once everything is declared.

root.classList.add("scripted");
const dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
one("#theme").setAttribute("aria-pressed", dark);
for (const select of [tools.elements.left, tools.elements.right]) {
  select.append(...titles.map((title, value) => new Option(title, value)));
}
if (!hasReference) {
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
new ResizeObserver(update).observe(document.body);
window.addEventListener("resize", update);
update();
