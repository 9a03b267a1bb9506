/* Before the first paint: dark for those who chose it, or whose system did. Alpine takes over. */

{
  const chosen = (localStorage.getItem("_x_adminTheme") ?? "auto").replaceAll('"', "");
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.classList.toggle("dark", chosen === "dark" || (chosen === "auto" && dark));
}
