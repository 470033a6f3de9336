// Numbers on axes, by the browser's Intl; every other number comes ready from the server.

export function axisNumber(column, locale, largest, reach = largest) {
  const options = { maximumFractionDigits: reach < 10 ? 1 : 0 };
  // thousands stay thousands until they no longer fit
  if (largest >= 100_000) Object.assign(options, { notation: "compact", maximumFractionDigits: 1 });
  if (column.style === "money" && column.currency) {
    Object.assign(options, { style: "currency", currency: column.currency, minimumFractionDigits: 0 });
  }
  const format = new Intl.NumberFormat(locale, options);
  const unit = column.style === "percent" ? " %" : "";
  return (value) => format.format(value) + unit;
}

export function shortDay(locale, style) {
  const options = {
    month: { month: "short", year: "2-digit" },
    week: { day: "numeric", month: "short" },
    date: { day: "numeric", month: "short" },
  }[style];
  const format = options && new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" });
  return (value) => (format && /^\d{4}-\d\d-\d\d/.test(value) ? format.format(new Date(value)) : String(value));
}
