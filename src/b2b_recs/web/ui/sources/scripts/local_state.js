// Alpine components: small local state only.
(() => {
  "use strict";

  document.addEventListener("alpine:init", () => {
    window.Alpine.data("sideNav", () => ({
      open: false,
      toggle() { this.open = !this.open; },
      close() { this.open = false; },
    }));
    window.Alpine.data("tabs", () => ({
      chosen: "",
      init() { this.chosen = this.$el.dataset.first; },
      choose(event) { this.chosen = event.currentTarget.dataset.tab; },
      is(name) { return this.chosen === name; },
      selected(name) { return this.chosen === name ? "true" : "false"; },
      reach(name) { return this.chosen === name ? 0 : -1; },
      step(event) {
        const names = [...this.$root.querySelectorAll("[role=tab]")];
        const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!move) return;
        const next = names[(names.indexOf(event.currentTarget) + move + names.length) % names.length];
        this.chosen = next.dataset.tab;
        next.focus();
      },
    }));
  });
})();
