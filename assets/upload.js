// A file that is dropped on the page, or chosen: it is sent in slices, the server says what it
// understood, and the page of the file is gone to. See uploads/ for the other half.

(() => {
    const SHORT = 150, LONG = 1_000;  // Milliseconds between two looks at a check.
    const LONGEST_NAME = 80;

    const main = () => document.querySelector("main");
    const settings = () => main()?.dataset ?? {};
    const count = number => number.toLocaleString("en");
    const millions = number => count(Math.round(number / 1e5) / 10);
    const megabytes = bytes => `${millions(bytes)} MB`;

    function make(tag, attributes = {}, ...inside) {
        const made = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
        made.append(...inside);
        return made;
    }

    const cut = name =>
        name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;

    // A zone, for an example.
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "Europe/Berlin";

    // What a field is, which of the options of the command line it stands for, and what it
    // can be. Those of columns get their options from the file.
    const UNITS = [["", "by the name, or seconds"], ["ms", "milliseconds"],
        ["s", "seconds"], ["min", "minutes"], ["h", "hours"], ["d", "days"]];
    const COLUMNS = [
        ["user", "User"], ["page", "Page"], ["time", "Time"], ["duration", "Duration"],
    ];
    const LOG = [
        ["user", "Users are", "--user", [["", "addresses"],
            ["ip+agent", "addresses with their program"]]],
        ["keep_bots", "Bots are", "--bots", [["", "left out"], ["true", "counted"]]],
    ];
    const SHOWN_IN = ["shown_in", "Days and hours of", "--timezone", here];
    const RULES = [
        ["statuses", "Statuses of page views", "--statuses", "200-299,304"],
        ["assets", "Ends of what are no pages", "--assets", ".css,.js,.png"],
    ];
    const GAP = ["visit_gap", "A visit ends after", "--visit-gap",
        [["900", "15 min"], ["", "30 min"], ["3600", "60 min"]]];
    const MERGE = ["merge_pages", "Addresses of pages", "--merge-pages", [["", "as they are"],
        ["query,fragment", "without ?… and #…"],
        ["query,fragment,slash,index", "also without / and index.html at the end"],
        ["query,fragment,slash,index,host,case", "also without host and capital letters"]]];
    const WRITTEN = [
        ["clock", "Time of day, if apart", "--time"],
        ["time_format", "Times are written as", "--time-format", "%d/%m/%Y %H:%M"],
        ["times_in", "Zone of times that name none", "--times-in", "UTC"],
        ["duration_unit", "Unit of durations", "--duration-unit", UNITS],
        ["decimal", "Decimal mark", "--decimal", [["", "found"], [".", "point"], [",", "comma"]]],
        ["header", "First row", "--no-header", [["", "names of columns"], ["false", "data"]]],
        ["zero_is_unknown", "A duration of 0 is", "--zero-is-unknown",
            [["", "0 seconds"], ["true", "unknown"]]],
        ["negative_is_unknown", "A duration below 0 is", "--negative-is-unknown",
            [["", "an error"], ["true", "unknown"]]],
        ["encoding", "Encoding of text", "--encoding", "utf-8"],
        ["escape", "Quotation marks in CSV", "--escape", [["", '""'], ["true", '\\"']]],
        ["sheet", "Sheet of a spreadsheet", "--sheet", "the first"],
        ["allow_left_out", "Where most rows can't be used", "--allow-left-out",
            [["", "say so"], ["true", "go on"]]],
    ];
    const ZONES = Intl.supportedValuesOf?.("timeZone") ?? [];
    const LOG_WRITTEN = ["encoding", "allow_left_out"];
    const IS_SAID = {true: true, false: false};

    // One file, from its drop to its page.
    class Upload {
        constructor(file) {
            this.file = file;
            this.said = {};
            this.stop = new AbortController();
            this.number = 0;
            this.spoken = Date.now();
            this.build();
        }

        build() {
            this.status = make("p", {role: "status", class: "status"});
            this.error = make("p", {role: "alert", class: "failure"});
            this.body = make("div", {class: "understood"});
            this.columns = make("div", {class: "upload-fields"});
            this.more = make("div", {class: "upload-fields"});
            this.details = make("details", {}, make("summary", {}, "More about how it is written"),
                this.more);
            this.fields = make("div", {hidden: ""}, this.columns, this.details);
            this.report = make("div", {class: "upload-report"});
            this.show = make("button", {type: "submit", disabled: ""}, "Show");
            const cancel = make("button", {type: "button"}, "Cancel");
            this.suggestions = make("div", {class: "suggestions"});
            this.body.append(this.error, this.suggestions, this.report, this.fields);
            const form = make("form", {}, make("h2", {id: "upload-name", tabindex: "-1",
                title: this.file.name}, cut(this.file.name)), this.status, this.body,
            make("div", {class: "upload-buttons"}, this.show, cancel),
            make("datalist", {id: "upload-zones"},
                ...ZONES.map(value => make("option", {value}))));
            this.dialog = make("dialog", {class: "upload", "aria-labelledby": "upload-name"}, form);
            cancel.addEventListener("click", () => this.dialog.close());
            form.addEventListener("submit", event => {
                event.preventDefault();
                if (!this.show.disabled) this.open();
            });
            form.addEventListener("change", event => this.changed(event.target));
            this.dialog.addEventListener("close", () => this.end());
            // The page's own keys are not meant.
            this.dialog.addEventListener("keydown", event => event.stopPropagation());
            main().append(this.dialog);
            this.dialog.showModal();
            this.dialog.querySelector("h2").focus();
        }

        // What the server answers, as JSON; its words, where it refuses, as an error.
        async ask(path, method = "POST", body = null) {
            const isBytes = body instanceof Blob;
            const headers = {"Content-Type": isBytes ? "application/octet-stream" : "application/json"};
            const options = {method, headers, signal: this.stop.signal};
            if (method === "POST") options.body = isBytes ? body : JSON.stringify(body ?? {});
            let response;
            try {
                response = await fetch(`${settings().upload}${path}`, options);
            } catch (error) {
                if (this.stop.signal.aborted) throw error;
                throw new Error("The server doesn't answer.");
            }
            if (response.ok) return response.json();
            const words = await response.text();
            const refused = new Error(words.slice(0, 300));
            refused.status = response.status;
            throw refused;
        }

        // Do something, and say what goes wrong in it, unless it was cancelled.
        async attempt(what) {
            try {
                await what();
            } catch (error) {
                if (this.stop.signal.aborted) return;
                this.fail(error.message);
                if (!error.status) this.suggestions.replaceChildren(this.again(what));
                if (error.status === 400) this.changing?.closest("label").classList.add("named");
            }
        }

        start() {
            const {size} = this.file, most = Number(settings().most);
            if (size > most) {
                this.fail(`This file has ${megabytes(size)}; the page takes ${megabytes(most)} `
                    + "at most. The program reads larger ones when it is started with them.");
                return;
            }
            this.attempt(async () => {
                await this.send();
                await this.check();
            });
        }

        async send() {
            const {name, size} = this.file;
            this.say("Sending…");
            const {file, slice} = await this.ask("", "POST", {name, size});
            this.token = file;
            for (let at = 0; at < size; at += slice) {
                if (at) this.sayOften(`Sending: ${millions(at)} of ${megabytes(size)}`);
                const bytes = this.file.slice(at, Math.min(at + slice, size));
                await this.ask(`/${file}/${at}`, "POST", bytes);
            }
        }

        async check() {
            const number = this.number += 1;
            this.show.disabled = true;
            this.say("Reading…");
            const begin = () => this.ask(`/${this.token}/check`, "POST", this.options());
            let begun;
            try {
                begun = await begin();
            } catch (error) {
                // It was open for so long that the server has given its bytes back.
                if (error.status !== 410) throw error;
                await this.send();
                begun = await begin();
            }
            for (let wait = SHORT; ; wait = Math.min(2 * wait, LONG)) {
                if (number !== this.number) return;
                const found = await this.ask(`/${this.token}/check/${begun.check}`, "GET")
                    .catch(error => {
                        // A change of a field began another one.
                        if (number !== this.number) return null;
                        throw error;
                    });
                if (number !== this.number || !found) return;
                if (found.state !== "reading") {
                    this.write(found);
                    return;
                }
                if (found.rows) this.sayOften(`Reading: ${count(found.rows)} rows`);
                await new Promise(done => { setTimeout(done, wait); });
            }
        }

        open() {
            this.attempt(async () => {
                this.show.disabled = true;
                this.say("Making its page…");
                const show = () => this.ask(`/${this.token}/show`, "POST",
                    {check: this.found.check, from: settings().file});
                const {address} = await show().catch(async error => {
                    if (error.status !== 410) throw error;
                    // See check(), which sends it again.
                    await this.check();
                    return show();
                });
                this.token = null;
                location.assign(address);
            });
        }

        end() {
            this.stop.abort();
            this.number += 1;
            this.dialog.remove();
            upload = null;
            this.forget();
        }

        forget() {
            if (this.token)
                fetch(`${settings().upload}/${this.token}`, {method: "DELETE", keepalive: true})
                    .catch(() => {});
            this.token = null;
        }

        say(words) {
            if (this.status.textContent !== words) this.status.textContent = words;
        }

        // What changes all the time is said now and then: readers of the screen say it aloud.
        sayOften(words) {
            if (Date.now() - this.spoken < LONG) return;
            this.spoken = Date.now();
            this.say(words);
        }

        fail(words) {
            this.say("");
            this.error.textContent = words;
            this.report.replaceChildren();
            this.mark(words);
        }

        // What was understood, or what is wrong.
        write(found) {
            this.found = found;
            const isRead = found.state === "read";
            // No field helps where there are no columns, and the message names none.
            const isHopeless = !isRead && !found.columns.length && !found.is_log
                && !/--\w/.test(found.error);
            this.say(isRead ? "This is what was understood. Change what is wrong."
                : isHopeless ? "It can't be read." : "It can't be read like this yet.");
            const message = isRead ? found.alarm : found.error;
            this.error.textContent = shortened(message, found.columns.length > 0);
            this.report.replaceChildren(...(isRead ? reportOf(found, this.file.name) : []));
            this.show.disabled = !isRead;
            this.writeFields(found);
            this.fields.hidden = isHopeless;
            this.mark(message);
        }

        // The fields that a message names are in sight.
        mark(words) {
            if (!this.found) return;
            for (const field of this.fields.querySelectorAll("[data-option]")) {
                const {option} = field.dataset;
                const isNamed = new RegExp(`${option}(?![\\w-])`).test(words);
                field.classList.toggle("named", isNamed);
                if (isNamed && this.details.contains(field)) this.details.open = true;
            }
            const buttons = suggested(words).filter(([name, value]) => this.said[name] !== value)
                .map(each => this.suggestion(...each));
            const [, numbers] = words.match(/--no-header((?: --\w+ \d+)+)/) ?? [];
            if (numbers) buttons.push(this.withoutHeader(numbers));
            this.suggestions.replaceChildren(...buttons);
        }

        // The columns of a file without names, by their numbers, as a message advises.
        withoutHeader(numbers) {
            const pairs = [...numbers.matchAll(/--(\w+) (\d+)/g)].map(([, role, number]) =>
                role === "end" ? ["duration", `e ${number}`]
                    : [role, role === "duration" ? `d ${number}` : number]);
            const words = pairs.map(([role, number]) => `${role} ${number.replace(/^\D+/, "")}`);
            const button = make("button", {type: "button"},
                `First row: data. Columns: ${words.join(", ")}`);
            button.addEventListener("click", () => {
                this.said = {...this.said, header: "false", ...Object.fromEntries(pairs)};
                this.attempt(() => this.check());
            });
            return button;
        }

        // What was attempted, once more.
        again(what) {
            const button = make("button", {type: "button"}, "Try again");
            button.addEventListener("click", () => {
                this.error.textContent = "";
                this.suggestions.replaceChildren();
                this.attempt(what);
            });
            return button;
        }

        // What a message advises, at one click.
        suggestion(name, value) {
            const control = this.control(name);
            if (!control) return "";
            const isListed = control instanceof HTMLSelectElement;
            const label = control.closest("label").querySelector("span").firstChild.textContent.trim();
            const shown = isListed
                ? [...control.options].find(option => option.value === value)?.text : value;
            const button = make("button", {type: "button"}, `${label}: ${shown}`);
            button.addEventListener("click", () => {
                control.value = value;
                this.changed(control);
            });
            return shown === undefined ? "" : button;
        }

        writeFields(found) {
            // Of one site that was picked, the others are still to be picked.
            if (!this.said.where) this.sites = found.sites;
            const key = JSON.stringify([found.columns, found.is_log, this.sites]);
            if (key !== this.key) {
                this.key = key;
                const focused = document.activeElement?.name;
                this.makeFields({...found, sites: this.sites});
                if (focused) this.control(focused)?.focus();
            }
            this.fields.hidden = false;
            for (const control of this.fields.querySelectorAll("[name]"))
                control.value = this.said[control.name] ?? takenBy(control, found);
            // The gap says something where durations are derived.
            const duration = this.control("duration"), gap = this.control("visit_gap");
            gap.closest("label").hidden = Boolean(duration) && duration.value !== NEXT_ROW;
        }

        control(name) {
            return [...this.fields.querySelectorAll("[name]")].find(each => each.name === name);
        }

        makeFields({columns, n_columns: all, is_log: isLog, sites}) {
            const names = columns.filter(name => name !== "");
            const choices = names.map(name => [name, cut(name)]);
            const place = label => ["", label];
            this.columns.hidden = false;
            if (isLog) {
                const ofSite = ["where", "Site", "--where",
                    [["", "all"], ...sites.map(site => [site, cut(site)])]];
                const first = sites.length > 1 ? [ofSite, ...LOG] : LOG;
                const more = WRITTEN.filter(([name]) => LOG_WRITTEN.includes(name));
                this.columns.replaceChildren(...[...first, GAP, SHOWN_IN, MERGE]
                    .map(each => fieldOf(...each)));
                this.more.replaceChildren(...[...RULES, ...more].map(each => fieldOf(...each)));
                return;
            }
            const ofColumn = Object.fromEntries(COLUMNS.map(([role, label]) =>
                [role, fieldOf(role, label, `--${role}`, [place("choose a column"), ...choices])]));
            ofColumn.duration.querySelector("select").replaceChildren(...durationChoices(choices));
            this.columns.replaceChildren(...Object.values(ofColumn), fieldOf(...GAP),
                fieldOf(...MERGE));
            this.columns.hidden = !names.length;
            if (all > columns.length)
                this.columns.append(make("p", {}, `${count(columns.length)} of ${count(all)} columns `
                    + "are listed."));
            this.more.replaceChildren(...[...WRITTEN, SHOWN_IN].map(([name, label, option, kind]) =>
                fieldOf(name, label, option, kind ?? [place("in the same column"), ...choices]))
                .filter(field => names.length
                    || ["--encoding", "--no-header", "--sheet"].includes(field.dataset.option)));
        }

        changed(control) {
            const {name, value} = control;
            if (!name) return;
            this.changing = control;
            if (value === "") delete this.said[name];
            else this.said[name] = value;
            // Without names, columns have numbers.
            if (name === "header")
                for (const role of ["user", "page", "time", "duration", "clock"])
                    delete this.said[role];
            this.attempt(() => this.check());
        }

        // The fields, as fields of ReadOptions.
        options() {
            const {duration, clock, visit_gap: gap, time, ...said} = this.said;
            const taken = this.found?.taken ?? {};
            const options = Object.fromEntries(Object.entries(said)
                .map(([name, value]) => [name, IS_SAID[value] ?? value]));
            if (gap) options.visit_gap = Number(gap);
            if (time) options.time = time;
            if (clock) options.time = `${time ?? taken.time?.[0] ?? ""}+${clock}`;
            if (duration === NEXT_ROW) options.duration = "none";
            else if (duration) options[duration.slice(0, 1) === "e" ? "end" : "duration"]
                = duration.slice(2);
            return options;
        }
    }

    const NEXT_ROW = "next";

    // The choices of how durations are known: their values say a column's part as well.
    function durationChoices(choices) {
        const group = (label, letter) => make("optgroup", {label}, ...choices.map(
            ([name, words]) => make("option", {value: `${letter} ${name}`}, words)));
        return [
            make("option", {value: ""}, "choose"),
            make("option", {value: NEXT_ROW}, "time to the user's next row"),
            group("in a column", "d"),
            group("until the time in a column", "e"),
        ];
    }

    // The value of a control where nothing was said: what was taken.
    function takenBy({name}, {taken, state, is_log: isLog}) {
        if (isLog || !(name in {user: 1, page: 1, time: 1, clock: 1, duration: 1})) return "";
        if (name === "clock") return taken.time?.[1] ?? "";
        if (name !== "duration") return taken[name]?.[0] ?? "";
        if (taken.duration) return `d ${taken.duration[0]}`;
        if (taken.end) return `e ${taken.end[0]}`;
        return state === "read" ? NEXT_ROW : "";
    }

    // A message without what the fields below it show anyway.
    function shortened(words, hasColumns) {
        if (!hasColumns) return words;
        return words.replace(/ \(looked for [^;)]*(?:\)|(?=;))/g, "")
            .replace(/; its columns are: .*?; name them with [^;]*/s, "; choose them below");
    }

    // The fields and values that a message of the program advises as options.
    function suggested(words) {
        const found = [];
        if (words.includes("--time-format '"))
            for (const [, format] of words.matchAll(/'([^']*%[^']*)'/g))
                found.push(["time_format", format]);
        for (const [option, name] of [["decimal", "decimal"], ["encoding", "encoding"],
            ["times-in", "times_in"], ["duration-unit", "duration_unit"]])
            for (const [, value] of words.matchAll(new RegExp(`--${option} ([^\\s;()]+)`, "g")))
                found.push([name, value.length > 1 ? value.replace(/[,.]+$/, "") : value]);
        for (const [option, name] of [["escape", "escape"], ["allow-left-out", "allow_left_out"],
            ["negative-is-unknown", "negative_is_unknown"]])
            if (words.includes(`--${option}`)) found.push([name, "true"]);
        return found.filter(([, value]) => !/^(ZONE|UNIT|NAME)$/.test(value));
    }

    // A field with its label, and its name on the command line in small print. It is chosen
    // from a list of values and words, or typed, with an example.
    function fieldOf(name, label, option, kind) {
        const isList = Array.isArray(kind);
        const control = isList
            ? make("select", {name}, ...kind.map(([value, words]) => make("option",
                {value, ...(words.length < value.length ? {title: value} : {})}, words)))
            : make("input", {name, placeholder: kind, autocomplete: "off", spellcheck: "false"});
        if (["times_in", "shown_in"].includes(name)) control.setAttribute("list", "upload-zones");
        const small = make("small", {"aria-hidden": "true"}, option);
        return make("label", {"data-option": option}, make("span", {}, label, " ", small), control);
    }

    function reportOf({line, sections}, name) {
        const terms = sections.flatMap(([heading, lines]) => [
            ...heading === name ? [] : [make("dt", {}, heading)],
            ...lines.map(each => make("dd", {}, each)),
        ]);
        return [make("p", {class: "upload-line"}, line), make("dl", {}, ...terms)];
    }

    // The one that is open.
    let upload = null;

    // What is wrong with what was dropped is said where nothing else is.
    function begin(files, isFolder) {
        if (!settings().upload) return;
        if (upload) {
            upload.say("One file at a time: cancel this one first.");
            return;
        }
        const [file, ...more] = files;
        upload = new Upload(file ?? new File([], "Nothing"));
        if (isFolder) upload.fail("This is a folder. Drop a file, or a zip with several in it.");
        else if (!file) upload.fail("There is no file in what was dropped.");
        else if (more.length)
            upload.fail(`These are ${files.length} files. One at a time, please; a zip may have `
                + "several in it.");
        else upload.start();
    }

    let overlay = null;
    function cover(isOver) {
        if (isOver && !overlay) {
            const words = `Drop the file to see what is in it. ${settings().where}`;
            overlay = make("div", {class: "drop-here"}, make("p", {}, words));
            document.body.append(overlay);
        }
        if (!isOver) {
            overlay?.remove();
            overlay = null;
        }
    }

    // Text and links that are dragged are none of its business. A file that is dropped beside
    // the mark would have the browser leave the page.
    const hasFiles = ({dataTransfer}) =>
        Boolean(settings().upload) && [...dataTransfer?.types ?? []].includes("Files");
    for (const kind of ["dragenter", "dragover"])
        document.addEventListener(kind, event => {
            if (!hasFiles(event)) return;
            event.preventDefault();
            event.dataTransfer.dropEffect = upload ? "none" : "copy";
            cover(!upload);
        });
    document.addEventListener("dragleave", event => { if (!event.relatedTarget) cover(false); });
    document.addEventListener("drop", event => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        cover(false);
        const [item] = event.dataTransfer.items;
        begin([...event.dataTransfer.files], item?.webkitGetAsEntry?.()?.isDirectory);
    });

    document.addEventListener("click", event => {
        if (!event.target.closest("[data-choose=file]")) return;
        const input = make("input", {type: "file"});
        input.addEventListener("change", () => { if (input.files.length) begin([...input.files]); });
        input.click();
    });

    // Browsers may keep the page as it is, for the way back.
    window.addEventListener("pagehide", () => upload?.end());
})();
