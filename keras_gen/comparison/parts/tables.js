// Tables: rows in the order of a column. The reference is always first; rows without a number are last.

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
