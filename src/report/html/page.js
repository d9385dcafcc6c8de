(function () {
  'use strict';
  var all = function (selector, inside) { return Array.prototype.slice.call((inside || document).querySelectorAll(selector)); };
  var get = function (id) { return document.getElementById(id); };

  // What a link leads to is opened, with all that it lies in.
  var open = function () {
    var id = '';
    try { id = decodeURIComponent(location.hash.slice(1)); } catch (error) { return; }
    var element = id ? get(id) : null;
    if (!element) { return; }
    for (var outer = element; outer; outer = outer.parentElement) {
      if (outer.localName === 'details') { outer.open = true; }
      if (outer.hidden) { outer.hidden = false; }
    }
    all('details.sequence', element).forEach(function (details) { details.open = true; });
    element.scrollIntoView();
  };
  addEventListener('hashchange', open);

  var filter = get('filter');
  if (!filter) { open(); return; }
  var rows = all('.cases tr').filter(function (row) { return row.id; });
  var texts = rows.map(function (row) { return (row.id + ' ' + row.cells[1].textContent).toLowerCase(); });
  var find = get('find'), shown = get('shown'), sort = get('sort'), fold = get('fold');
  var boxes = all('input[type=checkbox]', filter);

  var show = function () {
    var words = find.value.toLowerCase().split(/\s+/);
    var kinds = boxes.filter(function (box) { return box.checked; }).map(function (box) { return box.value; });
    var count = 0;
    rows.forEach(function (row, place) {
      var has = function (word) { return texts[place].includes(word); };
      var is = kinds.includes(row.className) ? words.every(has) : false;
      row.hidden = !is;
      if (is) { count += 1; }
    });
    all('.cases').forEach(function (table) {
      var empty = true;
      all('tbody', table).forEach(function (body) {
        var none = !all('tr', body).some(function (row) { return row.id ? !row.hidden : false; });
        body.hidden = none;
        if (!none) { empty = false; }
      });
      table.hidden = empty;
      table.previousElementSibling.hidden = empty;
    });
    shown.textContent = count + ' of ' + rows.length + ' cases';
  };

  var order = new Map();
  rows.forEach(function (row, place) { order.set(row, place); });
  var ranks = { f: 0, k: 1, i: 2, s: 3, p: 4 };
  var keys = {
    order: function (row) { return order.get(row); },
    result: function (row) { return ranks[row.className] * 1e9 + order.get(row); },
    time: function (row) { return -Number(row.cells[3].textContent); }
  };
  var arrange = function () {
    var key = keys[sort.value];
    var least = function (part) {
      return all('tr', part).reduce(function (least, row) { return row.id ? Math.min(least, key(row)) : least; }, Infinity);
    };
    var put = function (parent, parts, weight) {
      parts.map(function (part) { return [weight(part), part]; })
        .sort(function (one, other) { return one[0] - other[0] || 0; })
        .forEach(function (pair) { parent.appendChild(pair[1]); });
    };
    all('.cases').forEach(function (table) {
      all('tbody', table).forEach(function (body) {
        put(body, Array.prototype.slice.call(body.rows).filter(function (row) { return row.id; }), key);
      });
      put(table, Array.prototype.slice.call(table.tBodies), least);
    });
  };

  find.addEventListener('input', show);
  boxes.forEach(function (box) { box.addEventListener('change', show); });
  sort.addEventListener('change', arrange);
  fold.addEventListener('click', function () {
    var opens = fold.getAttribute('aria-pressed') !== 'true';
    fold.setAttribute('aria-pressed', String(opens));
    fold.textContent = opens ? 'Close all exchanges' : 'Open all exchanges';
    all('details.sequence').forEach(function (details) { details.open = opens; });
  });
  filter.hidden = false;
  show();
  open();
}());
