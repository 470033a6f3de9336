// A card's rows as a chart: what each `display` of a dashboard file looks like. Drawn by ECharts on a canvas,
// which needs no inline style and so passes the strict content policy. Never data or words: those are the server's.

import { echarts } from "./echarts/index.js";
import { addCursor, wordsOf } from "./cursor.js";
import { axisNumber, shortDay } from "./numbers.js";

const DASHES = { dashdot: [9, 3, 2, 3], longdash: [14, 5] }; // what the palette names and ECharts does not
const drawn = new Map();
let printing = false;

function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    series: [1, 2, 3, 4, 5].map((n) => read(`series-${n}`)),
    comparison: read("comparison"),
    forecast: read("forecast"),
    grid: read("grid"),
    text: read("chart-text"),
    muted: read("muted"),
    card: read("card"),
    line: read("line"),
    font: getComputedStyle(document.body).fontFamily,
  };
}

// The i-th of a list that begins anew at its end.
const nth = (list, i) => list[i % list.length];

// Column c of the rows in the unit it is shown in (money arrives in minor units).
const scaled = (spec, c) => (value) => (value === null ? null : value * (spec.columns[c].scale ?? 1));
const values = (spec, c, rows = spec.rows) => rows.map((row) => scaled(spec, c)(row[c]));
const largestOf = (lists) =>
  Math.max(0, ...lists.flat().filter((value) => Number.isFinite(value)).map((value) => Math.abs(value)));

function valueAxis(spec, c, lists, look, more = {}) {
  const known = lists.flat().filter((value) => Number.isFinite(value));
  // an axis that need not begin at zero needs the decimals that tell its own ticks apart
  const reach = more.scale ? Math.max(...known) - Math.min(...known) : largestOf(lists);
  return {
    type: "value",
    splitNumber: 4,
    axisLabel: { color: look.muted, fontSize: 12, formatter: axisNumber(spec.columns[c], spec.locale, largestOf(lists), reach) },
    splitLine: { lineStyle: { color: look.grid } },
    ...more,
  };
}

function nameAxis(spec, look, labels, more = {}) {
  const short = shortDay(spec.locale, spec.columns[spec.x].style);
  return {
    type: "category",
    data: labels,
    axisLine: { lineStyle: { color: look.line } },
    axisTick: { show: false },
    axisLabel: { color: look.muted, fontSize: 12, hideOverlap: true, formatter: (value) => short(value) },
    ...more,
  };
}

// Long rows (x, series, value) become one list per series, in the order of the rows.
function groups(spec) {
  const names = spec.rows.map((row) => String(row[spec.x]));
  const labels = [...new Set(names)];
  if (labels.every((label) => /^-?\d+$/.test(label))) labels.sort((a, b) => a - b);
  if (spec.series === null && labels.length === spec.rows.length) {
    return {
      labels,
      lists: spec.y.map((c) => ({ name: spec.columns[c].label, column: c, data: labels.map((label) => values(spec, c)[names.indexOf(label)]), rows: labels.map((label) => names.indexOf(label)) })),
    };
  }
  const place = new Map(labels.map((label, i) => [label, i]));
  const lists = new Map();
  spec.rows.forEach((row, i) => {
    const name = spec.series === null ? spec.columns[spec.y[0]].label : String(row[spec.series] ?? "not named");
    if (!lists.has(name)) {
      lists.set(name, { name, column: spec.y[0], data: labels.map(() => null), rows: labels.map(() => null) });
    }
    const at = place.get(String(row[spec.x]));
    lists.get(name).data[at] = scaled(spec, spec.y[0])(row[spec.y[0]]);
    lists.get(name).rows[at] = i;
  });
  return { labels, lists: [...lists.values()] };
}

function normalised(lists) {
  const totals = lists[0].data.map((_, i) => lists.reduce((sum, list) => sum + Math.abs(list.data[i] ?? 0), 0));
  return lists.map((list) => ({ ...list, data: list.data.map((v, i) => (totals[i] ? (100 * v) / totals[i] : null)) }));
}

function overTime(spec, look) {
  let { labels, lists } = groups(spec);
  if (spec.stack === "normalized") lists = normalised(lists);
  const kind = (i) => (spec.display === "combo" ? (spec.bars.includes(lists[i].column) || (!spec.bars.length && i === 0) ? "bar" : "line") : spec.display === "bar" ? "bar" : "line");
  const styles = spec.columns[spec.y[0]].style;
  const second = spec.display === "combo" && spec.y.some((c) => spec.columns[c].style !== styles);
  const series = lists.map((list, i) => {
    const colour = look.series[i % 5];
    const dash = spec.lines[spec.columns[list.column].name] ?? (spec.series === null && lists.length === 1 ? "solid" : nth(spec.dashes, i));
    const dotted = dash === "dotted" && spec.band;
    const one = {
      name: list.name,
      type: kind(i),
      data: list.data,
      stack: spec.stack ? "all" : undefined,
      itemStyle: { color: dotted ? look.forecast : colour },
      barMaxWidth: 36,
      yAxisIndex: second && spec.columns[list.column].style !== styles ? 1 : 0,
      connectNulls: spec.series !== null, // a row that is not there is no gap in the other series
    };
    if (one.type === "line") {
      Object.assign(one, {
        lineStyle: { width: 2.25, type: spec.stack ? "solid" : (DASHES[dash] ?? dash), color: dotted ? look.forecast : colour },
        symbol: nth(spec.markers, i),
        symbolSize: labels.length > 45 ? 0 : 5,
        showSymbol: labels.length <= 45,
        areaStyle: spec.display === "area" ? { opacity: spec.stack ? 0.75 : 0.12, color: colour } : undefined,
      });
    }
    return one;
  });
  if (spec.compared && !spec.stack) {
    spec.compared.forEach(({ column, data, label }, i) => {
      series.push({
        name: label,
        type: "line",
        data: data.map(scaled(spec, column)),
        yAxisIndex: second && i > 0 ? 1 : 0,
        symbol: "none",
        z: 1,
        lineStyle: { type: "dashed", width: 1.75, color: look.comparison },
        itemStyle: { color: look.comparison },
      });
    });
  }
  if (spec.band) {
    const [low, high] = spec.band;
    const lows = values(spec, low);
    const highs = values(spec, high);
    const quiet = { type: "line", symbol: "none", lineStyle: { opacity: 0 }, stack: "band", silent: true, tooltip: { show: false } };
    series.push({ ...quiet, name: "band from", data: lows });
    series.push({
      ...quiet,
      name: "band",
      data: highs.map((v, i) => (v === null || lows[i] === null ? null : v - lows[i])),
      areaStyle: { color: look.forecast, opacity: 0.18 },
    });
  }
  const shown = series.filter((one) => !one.silent);
  const axis = (c, lists_, more) =>
    valueAxis(spec, c, lists_, look, spec.stack === "normalized" ? { max: 100, axisLabel: { color: look.muted, fontSize: 12, formatter: "{value} %" } } : more);
  const other = second ? spec.y.find((c) => spec.columns[c].style !== styles) : null;
  return {
    legend: shown.length > 1 ? { data: shown.map((one) => one.name) } : undefined,
    xAxis: nameAxis(spec, look, labels, { boundaryGap: series.some((one) => one.type === "bar") }),
    yAxis: second
      ? [axis(spec.y[0], lists.map((l) => l.data)), valueAxis(spec, other, [values(spec, other)], look, { splitLine: { show: false } })]
      : axis(spec.y[0], [...lists.map((l) => l.data), ...series.map((one) => one.data)]),
    series,
    axis: true,
    point: (row) => {
      for (const [i, list] of lists.entries()) {
        const at = list.rows.indexOf(row);
        if (at >= 0) return { seriesIndex: i, dataIndex: at };
      }
      return null;
    },
    rowOf: (params) => lists[params.seriesIndex]?.rows[params.dataIndex] ?? lists[0].rows[params.dataIndex],
    together: spec.series !== null,
  };
}

// What a label on a chart says: the short form of a cell where it has one.
function shortOf(spec, table, row, column) {
  const cell = table.tBodies[0].rows[row].cells[spec.columns[column].cell];
  return cell.dataset.short ?? cell.textContent.trim();
}

function rowBars(spec, look, table) {
  const { labels, lists } = groups(spec);
  const single = lists.length === 1;
  const all = lists.flatMap((list) => list.data).filter((value) => value !== null);
  const [low, high] = [Math.min(0, ...all), Math.max(0, ...all)];
  const room = single ? (high - low) * 0.4 : 0; // for the figures beside the bars
  return {
    legend: single ? undefined : { data: lists.map((list) => list.name) },
    grid: { left: 12, right: 8, top: single ? 4 : 36, bottom: single ? 4 : 10, containLabel: true },
    yAxis: nameAxis(spec, look, labels, {
      inverse: true,
      axisLine: { show: false, onZero: false },
      axisLabel: { color: look.text, fontSize: 13, width: Math.max(110, Math.min(240, look.width * 0.32)), overflow: "truncate", interval: 0, formatter: shortDay(spec.locale, spec.columns[spec.x].style) },
    }),
    xAxis: valueAxis(spec, spec.y[0], lists.map((l) => l.data), look, single ? { axisLabel: { show: false }, splitLine: { show: false }, min: low < 0 ? low - room : 0, max: high > 0 ? high + room : 0 } : {}),
    series: lists.map((list, i) => ({
      name: list.name,
      type: "bar",
      stack: spec.stack ? "all" : undefined,
      data: list.data.map((value) => ({
        value,
        itemStyle: { color: single && value < 0 ? look.series[1] : look.series[i % 5], borderRadius: 2 },
        label: value < 0 ? { position: "left" } : undefined,
      })),
      barMaxWidth: 20,
      label: single
        ? { show: true, position: "right", color: look.text, fontSize: 12, formatter: ({ dataIndex }) => shortOf(spec, table, list.rows[dataIndex], list.column) }
        : undefined,
      labelLayout: { hideOverlap: true },
    })),
    axis: false,
    point: (row) => ({ seriesIndex: 0, dataIndex: lists[0].rows.indexOf(row) }),
    rowOf: (params) => lists[params.seriesIndex].rows[params.dataIndex],
  };
}

// The luminance of WCAG 2 of a colour written #rrggbb, or of one that lies between two.
const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
const luminance = (parts) =>
  parts
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);

// The colour of text on a cell so far between the palest and the fullest: whichever of two stands out more.
function legible(look, part) {
  const [from, to] = [channels(look.grid), channels(look.series[0])];
  const under = luminance(from.map((value, i) => value + (to[i] - value) * part));
  const contrast = (colour) => {
    const over = luminance(channels(colour));
    return (Math.max(over, under) + 0.05) / (Math.min(over, under) + 0.05);
  };
  return contrast(look.card) > contrast(look.text) ? look.card : look.text;
}

function heatmap(spec, look, table) {
  const c = spec.y[0];
  const across = [...new Set(spec.rows.map((row) => String(row[spec.x])))];
  const down = [...new Set(spec.rows.map((row) => String(row[spec.series])))];
  const data = spec.rows.map((row) => [across.indexOf(String(row[spec.x])), down.indexOf(String(row[spec.series])), scaled(spec, c)(row[c])]);
  const known = data.map((point) => point[2]).filter((value) => value !== null);
  const [least, most] = [Math.min(0, ...known), Math.max(1e-9, ...known)];
  const write = axisNumber(spec.columns[c], spec.locale, most);
  const narrow = across.length > 13 || look.width / across.length < 46;
  return {
    grid: { left: 4, right: 8, top: 8, bottom: 36, containLabel: true },
    xAxis: nameAxis(spec, look, across, { splitArea: { show: false } }),
    yAxis: { ...nameAxis(spec, look, down, { inverse: true }), axisLabel: { color: look.muted, fontSize: 12, formatter: shortDay(spec.locale, spec.columns[spec.series].style) } },
    visualMap: {
      min: least,
      max: most,
      dimension: 2,
      orient: "horizontal",
      left: "center",
      bottom: 0,
      itemHeight: 120,
      itemWidth: 10,
      calculable: false,
      textStyle: { color: look.muted, fontSize: 12 },
      formatter: write,
      text: [write(most), write(least)],
      inRange: { color: [look.grid, look.series[0]] },
    },
    series: [
      {
        type: "heatmap",
        data: data.map((point) => ({ value: point, label: { color: legible(look, (point[2] - least) / (most - least)) } })),
        itemStyle: { borderColor: look.card, borderWidth: 1.5 },
        label: {
          show: !narrow && across.length * down.length <= 200,
          fontSize: 11,
          formatter: ({ dataIndex }) => shortOf(spec, table, dataIndex, c),
        },
        labelLayout: { hideOverlap: true },
      },
    ],
    axis: false,
    point: (row) => ({ seriesIndex: 0, dataIndex: row }),
    rowOf: (params) => params.dataIndex,
  };
}

function scatter(spec, look) {
  const [c] = spec.y;
  const sizes = spec.size === null ? null : values(spec, spec.size);
  const biggest = sizes ? largestOf([sizes]) || 1 : 1;
  const xs = values(spec, spec.x);
  const ys = values(spec, c);
  const named = (column) => ({ name: spec.columns[column].label, nameLocation: "middle", nameTextStyle: { color: look.muted, fontSize: 12 } });
  return {
    grid: { left: 24, right: 16, top: 12, bottom: 28, containLabel: true },
    xAxis: valueAxis(spec, spec.x, [xs], look, { ...named(spec.x), nameGap: 28, scale: true }),
    yAxis: valueAxis(spec, c, [ys], look, { ...named(c), nameGap: 48, scale: true }),
    series: [
      {
        type: "scatter",
        data: xs.map((x, i) => [x, ys[i]]),
        symbolSize: (_, { dataIndex }) => (sizes ? 6 + 22 * Math.sqrt(Math.abs(sizes[dataIndex] ?? 0) / biggest) : 9),
        itemStyle: { color: look.series[0], opacity: 0.7, borderColor: look.card },
      },
    ],
    axis: false,
    point: (row) => ({ seriesIndex: 0, dataIndex: row }),
    rowOf: (params) => params.dataIndex,
  };
}

// Steps float where the one before ended; a row whose `series` says "total" stands on the ground.
function waterfall(spec, look, table) {
  const c = spec.y[0];
  let level = 0;
  const bars = spec.rows.map((row) => {
    const value = scaled(spec, c)(row[c]) ?? 0;
    const total = spec.series !== null && String(row[spec.series]) === "total";
    const from = total ? 0 : level;
    level = total ? value : level + value;
    return { from, to: level, value, total };
  });
  const labels = spec.rows.map((row) => String(row[spec.x]));
  const tops = bars.flatMap((bar) => [bar.from, bar.to]);
  return {
    grid: { left: 6, right: 8, top: 24, bottom: 26, containLabel: true },
    xAxis: nameAxis(spec, look, labels, { axisLabel: { color: look.text, fontSize: 12, lineHeight: 14, interval: 0, width: 84, overflow: "break" } }),
    yAxis: valueAxis(spec, c, [tops], look, { scale: false }),
    series: [
      {
        type: "custom",
        name: spec.columns[c].label,
        renderItem: (_, api) => {
          const i = api.value(0);
          const bar = bars[i];
          const [x, top] = api.coord([i, Math.max(bar.from, bar.to)]);
          const [, foot] = api.coord([i, Math.min(bar.from, bar.to)]);
          const width = Math.min(64, api.size([1, 0])[0] * 0.62);
          return {
            type: "group",
            children: [
              { type: "rect", shape: { x: x - width / 2, y: top, width, height: Math.max(1, foot - top), r: 2 }, style: { fill: bar.total ? look.series[4] : bar.value < 0 ? look.series[1] : look.series[0], decal: api.style().decal } },
              { type: "text", style: { text: shortOf(spec, table, i, c), x, y: top - 6, align: "center", verticalAlign: "bottom", fill: look.text, font: `12px ${look.font}` } },
            ],
          };
        },
        data: bars.map((bar, i) => [i, bar.from, bar.to]),
        encode: { x: 0, y: [1, 2] },
      },
    ],
    axis: false,
    point: (row) => ({ seriesIndex: 0, dataIndex: row }),
    rowOf: (params) => params.dataIndex,
  };
}

function shares(spec, look, table) {
  const c = spec.y[0];
  return {
    series: [
      {
        type: "pie",
        radius: ["48%", "76%"],
        data: spec.rows.map((row, i) => ({ name: String(row[spec.x]), value: scaled(spec, c)(row[c]), itemStyle: { color: look.series[i % 5] } })),
        itemStyle: { borderColor: look.card, borderWidth: 2 },
        label: { color: look.text, fontSize: 12, formatter: ({ name, dataIndex }) => `${name}\n${shortOf(spec, table, dataIndex, c)}` },
      },
    ],
    axis: false,
    point: (row) => ({ seriesIndex: 0, dataIndex: row }),
    rowOf: (params) => params.dataIndex,
  };
}

const DISPLAYS = { line: overTime, area: overTime, bar: overTime, combo: overTime, row: rowBars, heatmap, scatter, waterfall, pie: shares };

function tipWords(table, row) {
  if (row === null || row === undefined) return "";
  const { title, parts } = wordsOf(table, row);
  return [`{t|${title}}`, ...parts.slice(0, 8).map(([head, value]) => `${head}  {v|${value}}`)].join("\n");
}

function draw(figure, spec, table) {
  const look = { ...colours(), width: figure.clientWidth };
  const made = DISPLAYS[spec.display](spec, look, table);
  const { axis, point, rowOf, together, legend, ...option } = made;
  const first = (params) => (Array.isArray(params) ? params.find((one) => rowOf(one) !== null) ?? params[0] : params);
  const chart = drawn.get(figure)?.chart ?? echarts.init(figure, null, { renderer: "canvas" });
  chart.setOption(
    {
      animation: false,
      textStyle: { fontFamily: look.font, color: look.text },
      aria: { enabled: true, label: { enabled: false }, decal: { show: printing } },
      grid: { left: 6, right: 26, top: legend ? 40 : 14, bottom: 10, containLabel: true },
      legend: legend && { type: "scroll", top: 0, left: 0, itemWidth: 26, textStyle: { color: look.text, fontSize: 13 }, pageIconColor: look.text, pageTextStyle: { color: look.text }, ...legend },
      tooltip: {
        trigger: axis ? "axis" : "item",
        renderMode: "richText", // drawn on the canvas: markup with inline styles would break the content policy
        confine: true,
        backgroundColor: look.card,
        borderColor: look.line,
        textStyle: { color: look.text, fontSize: 13, rich: { t: { fontWeight: 600, color: look.text, lineHeight: 20 }, v: { fontWeight: 600, color: look.text } } },
        axisPointer: { type: "line", lineStyle: { color: look.muted } },
        formatter: (params) => {
          const given = Array.isArray(params) ? params : [params];
          if (!together) return tipWords(table, rowOf(first(params)));
          const rows = given.map(rowOf).filter((row) => row !== null && row !== undefined);
          if (!rows.length) return "";
          const last = spec.y[0];
          return [
            `{t|${table.tBodies[0].rows[rows[0]].cells[spec.columns[spec.x].cell].textContent.trim()}}`,
            ...given.map((one) => (rowOf(one) === null ? "" : `${one.seriesName}  {v|${table.tBodies[0].rows[rowOf(one)].cells[spec.columns[last].cell].textContent.trim()}}`)),
          ].filter(Boolean).join("\n");
        },
      },
      ...option,
    },
    true,
  );
  return { chart, point };
}

function start(figure) {
  const card = figure.closest("[data-card]");
  const spec = JSON.parse(card.querySelector("script[type='application/json']").textContent);
  const table = card.querySelector("table");
  // rows keep a height at which their names can be read
  if (spec.display === "row") figure.style.minHeight = `${22 * new Set(spec.rows.map((row) => row[spec.x])).size + 12}px`;
  const { chart, point } = draw(figure, spec, table);
  drawn.set(figure, { chart, spec, table });
  new ResizeObserver(() => chart.resize()).observe(figure);
  addCursor(figure, chart, table, point);
  figure.dataset.drawn = "yes";
}

const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        seen.unobserve(entry.target);
        if (!drawn.has(entry.target)) start(entry.target);
      }
    }
  },
  { rootMargin: "300px" },
);

export function drawAll(root) {
  for (const [figure, { chart }] of drawn) {
    if (!figure.isConnected) {
      chart.dispose();
      drawn.delete(figure);
    }
  }
  root.querySelectorAll("figure[data-chart]").forEach((figure) => seen.observe(figure));
}

export function redrawAll() {
  for (const [figure, { spec, table }] of drawn) draw(figure, spec, table);
}

function print(on) {
  printing = on;
  if (on) {
    document.querySelectorAll("figure[data-chart]").forEach((figure) => drawn.has(figure) || start(figure));
  }
  redrawAll();
  for (const { chart } of drawn.values()) chart.resize();
}

matchMedia("print").addEventListener("change", (event) => print(event.matches));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
