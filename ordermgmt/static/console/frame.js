/* Alpine components that unfold's templates need, for Alpine's build without eval.

That build has no globals and evaluates single expressions, so names used in templates are
registered here. Loaded after app.js, which defines the functions, and before Alpine. */

document.addEventListener("alpine:init", () => {
  document.documentElement.classList.remove("dark"); // set by theme.js until Alpine sets it

  for (const name of ["theme", "searchForm", "searchDropdown"]) {
    Alpine.data(name, window[name]);
  }

  // The body's state: the open tab and the navigation. Only the navigation is stored, in the browser.
  Alpine.data("frame", () => ({
    activeTab: "",
    openModal: false,
    sidebarMobileOpen: false,
    sidebarDesktopOpen: localStorage.getItem("sidebarDesktopOpen") !== "0",
    // Templates build a form's action from this, because the real `window` is not available to them.
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
