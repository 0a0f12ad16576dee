const end = document.querySelector("time[data-left]");
if (end) {
  const left = document.getElementById("left");
  const tick = () => {
    const seconds = Math.max(0, Math.floor((Date.parse(end.dateTime) - Date.now()) / 1000));
    const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    left.textContent = parts
      .map((part, index) => String(part).padStart(2, "0") + "hms"[index])
      .join(" ");
  };
  tick();
  setInterval(tick, 1000);
}
