/* What unfold's templates expect of Alpine, for Alpine's build that needs no eval.

That build finds no globals and evaluates one expression at a time, so what templates name must be
registered, and what needs more than an expression is said here. Loaded between app.js, which
defines the functions, and Alpine. */

document.addEventListener("alpine:init", () => {
  document.documentElement.classList.remove("dark"); // theme.js's; from here on it is Alpine's

  for (const name of ["theme", "searchForm", "searchDropdown"]) {
    Alpine.data(name, window[name]);
  }

  // The body's state: which tab is open, and whether the navigation is. Only what differs from
  // everybody's is remembered.
  Alpine.data("frame", () => ({
    activeTab: "",
    openModal: false,
    sidebarMobileOpen: false,
    sidebarDesktopOpen: localStorage.getItem("sidebarDesktopOpen") !== "0",
    // A form's action is built from this; the real `window` is not for templates.
    window: {
      location: {
        get pathname() { return window.location.pathname; },
        get search() { return window.location.search; },
        get hash() { return window.location.hash; },
        set href(address) { window.location.assign(address); },
      },
    },
    init() {
      this.activeTab = getCurrentTab() || this.$el.dataset.tab || "";
      this.$watch("sidebarDesktopOpen", (open) => {
        localStorage.setItem("sidebarDesktopOpen", open ? "1" : "0");
      });
    },
  }));
});
