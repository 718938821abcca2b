from chalicelib.journeys.definition import Definition
from chalicelib.journeys.gallery import gallery
from chalicelib.journeys.texts import text_mistakes


def test_a_mistake_is_named_by_its_place_and_step() -> None:
    email = {"subject": "x", "blocks": [{"type": "text", "text": "{{ contact.frist_name }}"}]}
    definition = Definition.parse(
        {
            "name": {"he": "א"},
            "trigger": {"type": "order_paid"},
            "steps": [
                {
                    "id": "again",
                    "type": "branch",
                    "if": {"purchased": {}},
                    "then": [{"id": "mail-1", "type": "send_email", "content": {"he": email}}],
                }
            ],
        }
    )
    [mistake] = text_mistakes(definition)
    assert mistake.field == "steps[0].then[0].content.he.blocks[0].text"
    assert mistake.message == "step 'mail-1': unknown field contact.frist_name"


def test_ready_journeys_have_none() -> None:
    assert [list(text_mistakes(Definition.parse(template.definition))) for template in gallery()] == [[]] * len(
        gallery()
    )
