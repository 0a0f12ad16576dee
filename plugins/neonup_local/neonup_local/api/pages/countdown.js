const left = document.querySelector("time[data-left]");
if (left) {
  const end = Date.parse(left.dateTime);
  const tick = () => {
    const seconds = Math.max(0, Math.floor((end - Date.now()) / 1000));
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    document.getElementById("left").textContent =
      parts.map((part, index) => String(part).padStart(2, "0") + " hms"[index + 1]).join(" ");
    if (seconds === 0) location.reload();
  };
  if (end > Date.now()) {
    tick();
    setInterval(tick, 1000);
  }
}
