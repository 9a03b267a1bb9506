// Updates the progress of a bulk job. Without this script the page shows it as of its loading.
"use strict";
const watched = document.querySelector("[data-progress]");

async function update() {
  const response = await fetch(watched.dataset.progress, { headers: { Accept: "application/json" } });
  if (!response.ok || response.redirected) return;
  const state = await response.json();
  document.getElementById("progress").value = state.over;
  for (const count of watched.querySelectorAll("[data-count]"))
    count.textContent = state[count.dataset.count];
  if (state.finished) location.reload();
  else setTimeout(update, 1500);
}

if (watched) setTimeout(update, 700);
