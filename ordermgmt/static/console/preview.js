// Previews the order numbers that an unsent form would give, computed by the server.
"use strict";

for (const form of document.querySelectorAll("form[data-preview]")) {
  const output = form.querySelector("output");
  let last = 0;

  async function preview() {
    const request = ++last;
    const fields = new FormData(form);
    for (const name of ["csrfmiddlewaretoken", "form_owner"]) fields.delete(name);
    const response = await fetch(`${form.dataset.preview}?${new URLSearchParams(fields)}`);
    if (!response.ok || request !== last) return;
    const { numbers } = await response.json();
    output.replaceChildren(
      ...numbers.flatMap((number) => {
        const code = document.createElement("code");
        code.textContent = number;
        return [code, " "];
      }),
    );
    if (!numbers.length) output.textContent = "None: these do not go together.";
  }

  let waiting;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(preview, 150);
  });
}
