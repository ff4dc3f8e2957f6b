// Notes when what changes in the parts of a page is seen. It runs before the page's own scripts.
//
// A change counts from the end of the frame that has it: the first task after style, layout and
// paint of that frame. It is asked for by the first callback of the frame and runs before others
// that wait (scheduler.postTask, user-blocking). A change made within a frame, as by an animation,
// is in that frame, and not in the next one. What the compositor does after that isn't counted.
(parts => {
    // What moves with the pointer, and nobody waits for.
    const ignored = ".hoverlayer, .modebar-container, .modebar, .draglayer, .vg-tooltip";
    const moving = ["transform", "d", "x", "y", "width", "height"];
    const either = [parts.charts, parts.others].filter(Boolean).join(", ");
    const frame = window.requestAnimationFrame.bind(window);
    const drawn = new WeakSet();
    let inFrame = false, waiting = new Set(), times = new Map(), before = new Map();
    let start = null, armed = false, latest = 0, visit = null;

    const enter = () => {
        if (inFrame) return;
        inFrame = true;
        scheduler.postTask(settle, { priority: "user-blocking" });
    };
    const settle = () => {
        inFrame = false;
        const now = performance.now();
        for (const part of waiting) times.set(part, now);
        waiting = new Set();
        if (visit === null && bars().some(isSeen)) visit = now;
    };
    window.requestAnimationFrame = callback => frame(time => {
        enter();
        callback(time);
    });

    const bars = () => [...document.querySelectorAll(parts.bars)].concat(
        [...document.querySelectorAll("canvas")].filter(canvas => drawn.has(canvas)));
    const isSeen = element =>
        element.closest(parts.charts) && element.checkVisibility({ visibilityProperty: true });
    const note = target => {
        const element = target?.nodeType === Node.TEXT_NODE ? target.parentElement : target;
        if (!element?.closest || element.closest(ignored)) return;
        const inside = element.closest(either);
        const changed = inside ? [inside] : [...element.querySelectorAll(either)];
        for (const part of changed) {
            waiting.add(part);
            latest = performance.now();
        }
        if (!inFrame && (changed.length || visit === null)) frame(enter);
    };
    new MutationObserver(records => {
        // To look at each of thousands of changes takes a tenth of the time that is measured.
        const partOf = new Map();
        for (const { type, target, attributeName, oldValue, addedNodes } of records) {
            if (!partOf.has(target)) partOf.set(target, target.closest?.(either));
            if (waiting.has(partOf.get(target))) continue;
            const inside = target.nodeType === Node.TEXT_NODE || partOf.get(target);
            // What a chart is marked with while it waits isn't what it shows.
            if (attributeName === "class" && target.matches(either)) continue;
            if (type === "attributes" && (!inside || target.getAttribute(attributeName) === oldValue)) {
                if (visit === null && !inFrame) frame(enter);
            } else if (inside) note(target);
            else for (const node of addedNodes) note(node);
        }
    }).observe(document, {
        subtree: true, childList: true, characterData: true, attributes: true, attributeOldValue: true,
    });
    document.addEventListener("load", event => note(event.target), true);
    document.addEventListener("transitionend", event => {
        if (moving.includes(event.propertyName)) note(event.target);
    }, true);
    for (const name of ["clearRect", "fillRect", "fill", "stroke", "fillText", "drawImage"]) {
        const draw = CanvasRenderingContext2D.prototype[name];
        CanvasRenderingContext2D.prototype[name] = function (...given) {
            drawn.add(this.canvas);
            if (this.canvas.isConnected) note(this.canvas);
            return draw.apply(this, given);
        };
    }
    window.addEventListener("pointerdown", event => {
        if (armed) start = event.timeStamp;
        armed = false;
    }, true);

    const look = part => {
        const copy = part.cloneNode(true);
        for (const extra of copy.querySelectorAll(ignored)) extra.remove();
        const canvases = [...part.querySelectorAll("canvas")].map(canvas => canvas.toDataURL());
        return [copy.innerHTML, ...canvases].join();
    };
    const all = () => [...document.querySelectorAll(either)];
    window.seen = {
        // From now on the next press of the pointer starts the clock.
        arm() {
            times = new Map();
            before = new Map(all().map(part => [part, look(part)]));
            [start, armed] = [null, true];
        },
        start(act) {
            armed = false;
            start = performance.now();
            act();
        },
        // Wait until something has changed, and then nothing for some milliseconds.
        async still(quiet, longest, changed = true) {
            const end = performance.now() + longest;
            for (;;) {
                await new Promise(done => setTimeout(done, 50));
                const now = performance.now();
                if (now > end) return false;
                if ((times.size || !changed) && !waiting.size && now - latest > quiet) return true;
            }
        },
        // For each part that looks different: whether it is a chart, on the screen, and when seen.
        read() {
            const changed = all().filter(part => times.has(part) && before.get(part) !== look(part));
            return changed.map(part => {
                const { top, bottom, width } = part.getBoundingClientRect();
                return {
                    name: part.id || part.closest("[id]")?.id || part.tagName,
                    chart: part.matches(parts.charts),
                    screen: width > 0 && bottom > 10 && top < innerHeight - 10,
                    time: times.get(part) - start,
                };
            });
        },
        visit: () => visit,
        drawn: () => new Set(bars().filter(isSeen).map(bar => bar.closest(parts.charts))).size,
    };
})
