// The other half of plain_html.py: an element that is made once, and never looked at again.
window.plain_html = {
    Plain: React.memo(({tag, attributes, html}) => React.createElement(tag,
        {...attributes, dangerouslySetInnerHTML: {__html: html}}), () => true),
};
