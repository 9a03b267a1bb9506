// Counts down to due times. Without this script the page shows them as of its loading.
"use strict";
const due = [...document.querySelectorAll("time[data-countdown]")];

function words(seconds) {
  if (seconds <= 0) return "now";
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return "in " + parts.map((n, i) => (i ? String(n).padStart(2, "0") : n)).join(":");
}

function show() {
  for (const time of due) time.textContent = words((Date.parse(time.dateTime) - Date.now()) / 1000);
}

if (due.length) {
  show();
  setInterval(show, 1000);
}
