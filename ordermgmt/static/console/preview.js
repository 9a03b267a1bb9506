// The numbers that a form not sent yet would give: asked of the service, which alone knows the rule.
"use strict";

for (const form of document.querySelectorAll("form[data-preview]")) {
  const shown = form.querySelector("output");
  let last = 0;

  async function preview() {
    const asked = ++last;
    const fields = new FormData(form);
    for (const name of ["csrfmiddlewaretoken", "form_owner"]) fields.delete(name);
    const answer = await fetch(`${form.dataset.preview}?${new URLSearchParams(fields)}`);
    if (!answer.ok || asked !== last) return;
    const { numbers } = await answer.json();
    shown.replaceChildren(
      ...numbers.flatMap((number) => {
        const code = document.createElement("code");
        code.textContent = number;
        return [code, " "];
      }),
    );
    if (!numbers.length) shown.textContent = "None: these do not go together.";
  }

  let waiting;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(preview, 150);
  });
}
