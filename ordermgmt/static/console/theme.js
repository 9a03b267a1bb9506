/* Sets the dark theme before the first paint, by the stored choice or the system. */

{
  const chosen = (localStorage.getItem("_x_adminTheme") ?? "auto").replaceAll('"', "");
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.classList.toggle("dark", chosen === "dark" || (chosen === "auto" && dark));
}
