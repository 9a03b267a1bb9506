// Follows a bulk job. Without it the page tells how far the job was when it was loaded.
"use strict";
const watched = document.querySelector("[data-progress]");

async function look() {
  const answer = await fetch(watched.dataset.progress, { headers: { Accept: "application/json" } });
  if (!answer.ok || answer.redirected) return;
  const told = await answer.json();
  document.getElementById("progress").value = told.over;
  for (const count of watched.querySelectorAll("[data-count]"))
    count.textContent = told[count.dataset.count];
  if (told.finished) location.reload();
  else setTimeout(look, 1500);
}

if (watched) setTimeout(look, 700);
