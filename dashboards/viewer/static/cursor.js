// The data cursor: one row of a chart at a time, by arrow keys, pointer or touch, said politely.
// Its words come out of the table behind the chart, so that what is heard is what stands there.

export function wordsOf(table, row) {
  const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
  const cells = [...(table.tBodies[0].rows[row]?.cells ?? [])].map((cell) => cell.textContent.trim());
  return { title: cells[0] ?? "", parts: heads.slice(1).map((head, i) => [head, cells[i + 1]]) };
}

export function addCursor(figure, chart, table, pointOf) {
  const said = figure.parentElement.querySelector("[data-said]");
  const last = () => table.tBodies[0].rows.length - 1;
  let at = -1;
  function show(row) {
    at = Math.max(0, Math.min(last(), row));
    const point = pointOf(at);
    if (point) chart.dispatchAction({ type: "showTip", ...point });
    const { title, parts } = wordsOf(table, at);
    said.textContent = `${title}: ${parts.map(([head, value]) => `${head} ${value}`).join(", ")}`;
    figure.dataset.at = String(at);
  }
  figure.addEventListener("keydown", (event) => {
    const moves = {
      ArrowRight: () => at + 1,
      ArrowDown: () => at + 1,
      ArrowLeft: () => (at < 0 ? last() : at - 1),
      ArrowUp: () => (at < 0 ? last() : at - 1),
      Home: () => 0,
      End: last,
    };
    if (event.key === "Escape") {
      chart.dispatchAction({ type: "hideTip" });
      said.textContent = "";
      at = -1;
    } else if (moves[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      show(moves[event.key]());
    }
  });
  figure.addEventListener("blur", () => chart.dispatchAction({ type: "hideTip" }));
}
